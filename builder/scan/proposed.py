"""What `wsb init` proposes, as types: nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping

from builder.model.frozen import frozen
from builder.model.project import Project
from builder.scan.choosing import Sources
from builder.scan.deciding import Pick
from builder.scan.relaxing import Relax


@frozen
class Added:
    """One line of packages.pip, packages.conda or packages.apt, and why."""

    section: str
    line: str
    because: str


@frozen
class Question:
    """Something two files answer differently. options: value and who says so; the first is what the rule takes."""

    field: str
    text: str
    options: tuple[tuple[str, str], ...]


@frozen
class Proposal:
    """python, torch: None where the files that are named say it themselves. left_out: with the place and the reason.

    is_written_out: the packages stand in wsb.yaml itself, since pins may move or a file has lines that cannot be read.
    """

    name: str
    sources: Sources
    project: Project
    python: Pick | None = None
    torch: Pick | None = None
    accelerator: Pick | None = None
    added: tuple[Added, ...] = ()
    channels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    is_written_out: bool = False


@frozen
class Wishes:
    """What the user of `wsb init` says. answers: field of a Question → the chosen value."""

    relax: Relax = "none"
    accelerator: str | None = None
    answers: Mapping[str, str] | None = None
