"""Of the files that a survey found: which a plan is made from, and why not from the others.

The rule, in words: a file for Linux and a GPU before one for another system or a side purpose; one that names torch before
one that does not; nearer to the root before deeper; environment.yml before requirements.txt before pyproject.toml, since
the first pins most; a file called like the project before its siblings.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from builder.catalog.packages import normal
from builder.model.frozen import frozen
from builder.model.values import Located
from builder.scan.survey import Finding

_KINDS = ("environment", "requirements", "manifest")
_FEW = 12  # packages; an environment with no more was written by hand, and may leave the rest to requirements.txt
_USUAL = re.compile(r"(environment|requirements)\.(ya?ml|txt)|pyproject\.toml", re.I)


@frozen
class Sources:
    """What the plan is made from. left: findings that were not taken, each with the reason."""

    environment: Finding | None = None
    requirements: tuple[Finding, ...] = ()
    left: tuple[tuple[Finding, str], ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return ((self.environment,) if self.environment else ()) + self.requirements

    @property
    def files(self) -> frozenset[str]:
        """Every file they lead to."""
        return frozenset(file for finding in self.findings for file in finding.project.files)


def choose_sources(findings: Sequence[Finding], project_name: str, *, wants_cpu: bool = False) -> Sources:
    """The files to make a plan from. project_name: the folder's, which a file among siblings may be called after."""
    declaring = [finding for finding in findings if finding.kind != "document"]
    if not declaring:
        return Sources()
    nearest = min(finding.depth for finding in declaring)
    ranked = sorted(declaring, key=lambda finding: _rank(finding, project_name, nearest, wants_cpu))
    best = ranked[0]
    beside = _beside(best, ranked[1:], wants_cpu)
    environment = best if best.kind == "environment" else None
    requirements = tuple(finding for finding in (best, *beside) if finding.kind != "environment")
    chosen = Sources(environment=environment, requirements=requirements)
    left = tuple((one, _why_left(one, best)) for one in ranked if one not in chosen.findings and one.path not in chosen.files)
    return Sources(environment=environment, requirements=requirements, left=left)


def _rank(finding: Finding, project_name: str, nearest: int, wants_cpu: bool) -> tuple[object, ...]:
    stem = posixpath.basename(finding.path).rpartition(".")[0]
    return (
        finding.is_for_another_system,
        finding.is_for_cpu != wants_cpu and finding.is_for_cpu,
        not (0 < finding.depth == nearest and _is_called(posixpath.dirname(finding.path), project_name)),
        finding.is_aside,
        not finding.has_torch,
        finding.depth,
        _KINDS.index(finding.kind),
        not (wants_cpu and finding.is_for_cpu),
        not _is_called(stem, project_name),
        _USUAL.fullmatch(posixpath.basename(finding.path)) is None,
        len(finding.path),
        finding.path,
    )


def _is_called(stem: str, project_name: str) -> bool:
    """Whether a file has the project's name, or its first word is the last word of that."""
    words = [word for word in re.split(r"[^a-z0-9]+", project_name.lower()) if word]
    own = [word for word in re.split(r"[^a-z0-9]+", stem.lower()) if word]
    return bool(own and words) and (own == words[-len(own) :] or own[0] == words[-1])


def _beside(best: Finding, others: Sequence[Finding], wants_cpu: bool) -> tuple[Finding, ...]:
    """What is taken beside the best file: the requirements that it leaves to another one in the same folder."""
    folder = posixpath.dirname(best.path)
    known = _names(best)
    for other in others:
        if other.kind == "document" or posixpath.dirname(other.path) != folder or other.path in best.project.files:
            continue
        if other.is_for_another_system or other.is_aside or (other.is_for_cpu and not wants_cpu):
            continue
        if best.kind == "environment" and other.kind == "requirements":
            is_thin = len(known) <= _FEW or (other.has_torch and not best.has_torch)
            if is_thin and _names(other) - known:
                return (other,)
        elif (best.kind == "manifest" and other.kind == "requirements" and not known and _names(other)) or (
            best.kind == "requirements" and best.is_for_another_system and other.kind == "requirements"
        ):
            return (other,)
    return ()


def _names(finding: Finding) -> set[str]:
    project = finding.project
    return {_name(one) for one in (*project.pip, *project.conda)}


def _name(line: Located[str]) -> str:
    found = re.match(r"(?:[^\s:]+::)?([A-Za-z0-9_.-]+)", line.value)
    return normal(found[1]) if found else line.value


def _why_left(finding: Finding, best: Finding) -> str:
    if finding.is_for_another_system:
        return "it is for another system or another kind of device"
    if finding.is_for_cpu and not best.is_for_cpu:
        return f"it is the processor's twin of {best.path}"
    if finding.is_aside:
        return "its name says that it is for a side purpose"
    if best.has_torch and not finding.has_torch:
        return f"it does not name torch, and {best.path} does"
    if finding.depth > best.depth:
        return f"it lies deeper in the project than {best.path}"
    return f"{best.path} says more exactly what is needed"
