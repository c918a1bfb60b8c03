"""A Proposal → the text of wsb.yaml: a reason beside each choice, and at the end what was left out and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from builder.config.schema import SCHEMA_COMMENT
from builder.config.suggest import as_yaml
from builder.model.values import VersionRequest
from builder.scan.deciding import Pick
from builder.scan.proposed import Added, Proposal

_COLUMN = 34  # where comments begin, when what stands before is shorter
_MAX_LEFT_OUT = 40
_WIDTH = 118


def wsb_yaml(proposal: Proposal) -> str:
    """The whole file."""
    lines = [
        SCHEMA_COMMENT,
        f"# Proposed by `wsb init`{_from(proposal)}. Change what you like: `wsb plan` shows what comes of it.",
    ]
    lines += ["", f"name: {proposal.name}"]
    for key, pick in (("python", proposal.python), ("torch", proposal.torch), ("accelerator", proposal.accelerator)):
        if pick is not None:
            lines.append(_with_comment(f"{key}: {_quoted(pick.value)}", because(pick)))
    lines += _files(proposal)
    if proposal.channels:
        lines.append(f"channels: [{', '.join(as_yaml(one) for one in proposal.channels)}]")
    lines += _packages(proposal.added)
    lines += _left_out(proposal.left_out)
    return "\n".join(lines) + "\n"


def _from(proposal: Proposal) -> str:
    files = [finding.path for finding in proposal.sources.findings] or list(proposal.project.files)
    return f" from {', '.join(files[:4])}" if files else "; no file here says what the project needs"


def because(pick: Pick) -> str:
    """The reason and what was not taken, on one line."""
    over = "; ".join(f"not {value}: {why}" for value, why in pick.over[:2])
    return f"{pick.because}; {over}" if over else pick.because


def _quoted(value: str) -> str:
    """Versions in quotes: 3.10 is no number."""
    return f'"{value}"' if re.match(r"[0-9<>=!~]", value) else as_yaml(value)


def _with_comment(text: str, comment: str) -> str:
    comment = re.sub(r"\s+", " ", re.sub(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]", "?", comment)).strip()
    return f"{text:<{_COLUMN}}  # {comment[:400]}" if comment else text


def _files(proposal: Proposal) -> Iterator[str]:
    sources, project = proposal.sources, proposal.project
    said = []
    if project.python is not None and proposal.python is None:
        said.append(f"python {project.python.value}")
    if project.torch is not None and proposal.torch is None and not project.torch.value.is_any:
        said.append(f"torch {_readable(project.torch.value)}")
    if project.torch_variant is not None:
        said.append(str(project.torch_variant.value))
    elif project.cuda is not None:
        said.append(f"CUDA {project.cuda.value}")
    comment = f"says {', '.join(said)}" if said else ""
    if sources.environment is not None:
        yield _with_comment(f"environment: {as_yaml(sources.environment.path)}", comment)
        comment = ""
    if sources.requirements:
        paths = ", ".join(as_yaml(one.path) for one in sources.requirements)
        yield _with_comment(f"requirements: [{paths}]", comment)


def _readable(request: VersionRequest) -> str:
    return request.text.removeprefix("==").removeprefix("=")


def _packages(added: Sequence[Added]) -> Iterator[str]:
    if not added:
        return
    yield "packages:"
    for section in ("conda", "pip", "apt"):
        lines = [one for one in added if one.section == section]
        if lines:
            yield f"  {section}:"
            for one in lines:
                yield _with_comment(f"    - {as_yaml(one.line)}", one.because)


def _left_out(notes: Sequence[str]) -> Iterator[str]:
    if not notes:
        return
    yield ""
    yield "# Read, but not taken as it stands:"
    for note in notes[:_MAX_LEFT_OUT]:
        text = re.sub(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]", "?", re.sub(r"\s+", " ", note))
        yield f"#   {text[: _WIDTH * 2]}"
    if len(notes) > _MAX_LEFT_OUT:
        yield f"#   and {len(notes) - _MAX_LEFT_OUT} more, which `wsb plan` names"
