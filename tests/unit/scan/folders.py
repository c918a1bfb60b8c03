"""A project as a dictionary of texts → what `wsb init` proposes for it."""

from __future__ import annotations

from builder.catalog import load
from builder.scan.imports import is_source, read_imports
from builder.scan.proposal import propose
from builder.scan.proposed import Proposal, Wishes
from builder.scan.relaxing import Relax
from builder.scan.writing import wsb_yaml

CATALOG = load()


def proposed(
    files: dict[str, str | bytes],
    *,
    name: str = "mnist",
    relax: Relax = "none",
    accelerator: str | None = None,
    answers: dict[str, str] | None = None,
) -> Proposal:
    """The proposal for a folder with these files."""

    def read(path: str) -> bytes | None:
        content = files.get(path)
        return content.encode() if isinstance(content, str) else content

    sources = {path: text for path, text in files.items() if is_source(path) and isinstance(text, str)}
    wishes = Wishes(relax=relax, accelerator=accelerator, answers=answers)
    return propose(name, sorted(files), read, CATALOG, wishes, read_imports(sources, files))


def written(files: dict[str, str | bytes], **options: object) -> str:
    """The wsb.yaml for a folder with these files."""
    return wsb_yaml(proposed(files, **options))  # type: ignore[arg-type]


def lines_of(proposal: Proposal, section: str) -> list[str]:
    return [one.line for one in proposal.added if one.section == section]
