"""`wsb init` between the folder on disk and the pure rooms: read, propose, ask, write.

A wsb.yaml that is there is not replaced: keys that the proposal has and the file lacks are added, comments and order stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from builder.errors import Problems, WsbError
from builder.folder import Folder
from builder.model.frozen import frozen
from builder.model.host import Host
from builder.model.values import Location
from builder.pipeline import CONFIG
from builder.scan.proposal import propose
from builder.scan.proposed import Proposal, Wishes
from builder.scan.relaxing import Relax
from builder.store import MEMORY

Ask = Callable[[str, tuple[tuple[str, str], ...]], str]


@frozen
class Draft:
    """What would be written. changes: what a run over a wsb.yaml that is there adds, () for a new file."""

    directory: Path
    proposal: Proposal
    text: str
    is_new: bool
    changes: tuple[str, ...] = ()


def draft(
    directory: Path,
    *,
    relax: str = "none",
    accelerator: str | None = None,
    ask: Ask | None = None,
    host: Host | None = None,
) -> Draft:
    """Reads a folder and proposes. ask: how to settle what files say differently; None takes the rule's answer.

    host: the machine it is going to run on; where it is known, what init itself picks runs there.
    """
    from builder.catalog import load
    from builder.scan.writing import wsb_yaml

    directory = directory.resolve()
    if not directory.is_dir():
        raise WsbError("no-such-file", f"{directory} is not a folder", hints=["name the project's folder: `wsb init DIR`"])
    _check_accelerator(accelerator)
    folder = Folder(directory)
    own = _written_by_wsb(folder)
    names = [name for name in folder.names() if name != CONFIG and name not in own]
    imports = _imports(folder)
    wishes = Wishes(relax=cast("Relax", relax), accelerator=accelerator)
    proposal = propose(directory.name, names, folder.read, load(), wishes, imports, host)
    answers: dict[str, str] = {}
    while ask is not None and (open_ones := [one for one in proposal.questions if one.field not in answers]):
        question = open_ones[0]
        answers[question.field] = ask(question.text, question.options)
        wishes = Wishes(relax=wishes.relax, accelerator=accelerator, answers=answers)
        proposal = propose(directory.name, names, folder.read, load(), wishes, imports, host)
    text = wsb_yaml(proposal)
    present = folder.read(CONFIG)
    if present is None:
        return Draft(directory=directory, proposal=proposal, text=text, is_new=True)
    from builder.config.text import decode
    from builder.scan.merging import merged

    merged_text, changes = merged(decode(present, CONFIG), proposal)
    return Draft(directory=directory, proposal=proposal, text=merged_text, is_new=False, changes=changes)


def _written_by_wsb(folder: Folder) -> frozenset[str]:
    """Files that `wsb render` wrote: they say what wsb.yaml says, and are no witnesses for it."""
    try:
        written = json.loads(folder.read(MEMORY) or b"{}")
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(written) if isinstance(written, dict) else frozenset()


def _imports(folder: Folder) -> Any:
    from builder.scan.imports import is_source, read_imports

    return read_imports(folder.texts(is_source), folder.names())


def _check_accelerator(accelerator: str | None) -> None:
    if accelerator is None:
        return
    from builder.config.kinds import RefusedError
    from builder.config.versions import parse_accelerator

    try:
        parse_accelerator(accelerator)
    except RefusedError as error:
        raise WsbError("bad-value", str(error), Location(file="--accelerator")) from None


def write(draft: Draft, *, replace: bool = False) -> None:
    """Writes wsb.yaml and, beside it for editors, its schema. Raises WsbError when the disk refuses."""
    from builder.config import schema
    from builder.config.schema import SCHEMA_FILE
    from builder.scan.writing import wsb_yaml

    text = wsb_yaml(draft.proposal) if replace else draft.text
    _check(text)
    try:
        (draft.directory / CONFIG).write_text(text, "utf-8", newline="\n")
        file = draft.directory / SCHEMA_FILE
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", "utf-8", newline="\n")
    except OSError as error:
        raise WsbError("disk-full", f"cannot write {CONFIG}: {error.strerror}", Location(file=str(error.filename))) from None


def _check(text: str) -> None:
    """What is written can be read: anything else is a bug of wsb, not of the user."""
    from builder.config import read_spec

    try:
        read_spec(text.encode(), CONFIG)
    except (Problems, WsbError) as error:
        raise AssertionError(f"wsb init would write a file that wsb cannot read: {error}\n{text}") from error


def document(draft: Draft) -> dict[str, Any]:
    """What was chosen and why, as JSON."""
    proposal = draft.proposal
    picks = {"python": proposal.python, "torch": proposal.torch, "accelerator": proposal.accelerator}
    sources = proposal.sources
    return {
        "schema": "wsb.init/1",
        "file": str(draft.directory / CONFIG),
        "text": draft.text,
        "sources": [finding.path for finding in sources.findings] or list(proposal.project.files),
        "decisions": [
            {
                "field": field,
                "value": pick.value,
                "because": pick.because,
                "rejected": [{"value": value, "because": why} for value, why in pick.over],
            }
            for field, pick in picks.items()
            if pick is not None
        ]
        + [
            {"field": f"packages.{one.section}", "value": one.line, "because": one.because, "rejected": []}
            for one in proposal.added
        ],
        "left_out": list(proposal.left_out),
        "questions": [
            {"field": one.field, "text": one.text, "options": [{"value": v, "because": w} for v, w in one.options]}
            for one in proposal.questions
        ],
        "changes": list(draft.changes),
    }


def summary(draft: Draft, *, is_written: bool) -> list[str]:
    """The decisions for the person who watches."""
    from builder.scan.writing import because

    proposal = draft.proposal
    lines = []
    files = [finding.path for finding in proposal.sources.findings] or list(proposal.project.files)
    lines.append(f"  read          {', '.join(files) if files else 'nothing that says what the project needs'}")
    for field, pick in (("python", proposal.python), ("torch", proposal.torch), ("accelerator", proposal.accelerator)):
        if pick is not None:
            lines.append(f"  {field:<13} {pick.value:<8} {because(pick)}")
    for one in proposal.added[:12]:
        lines.append(f"  {one.section:<13} {one.line}  {one.because}")
    if len(proposal.added) > 12:
        lines.append(f"  and {len(proposal.added) - 12} packages more")
    if proposal.left_out:
        lines.append(f"  left out      {len(proposal.left_out)} things, named at the end of {CONFIG}")
    if is_written:
        what = "written" if draft.is_new else (f"{len(draft.changes)} changes" if draft.changes else "left as it is")
        lines.append(f"{CONFIG} {what}: `wsb plan` shows what it comes to")
    return [re.sub(r"\s+$", "", line) for line in lines]


def objection(draft: Draft, host: Host) -> WsbError | None:
    """Why this machine could not run what wsb.yaml asks for, with the nearest that it could; None when it can."""
    from builder import pipeline

    try:
        pipeline.decide(pipeline.read(draft.directory), host)
    except WsbError as error:
        return error
    except Problems as problems:
        return problems.errors[0]
    return None
