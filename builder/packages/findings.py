"""What a check has to say: findings, and the change to wsb.yaml that mends one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from builder.model.frozen import frozen
from builder.model.report import Severity
from builder.model.values import Location

# In the order they are told.
Kind = Literal["missing", "misnamed", "shadowed", "two-distributions", "contradicts", "conflict", "undeclared", "unused"]
KINDS: tuple[Kind, ...] = (
    "missing",
    "misnamed",
    "shadowed",
    "two-distributions",
    "contradicts",
    "conflict",
    "undeclared",
    "unused",
)

# Where wsb.yaml keeps its lists.
List = Literal["pip", "conda", "apt"]


@frozen
class Edit:
    """One change to a list of packages in wsb.yaml. new: "" removes the item; item: "" adds the new one."""

    list: List
    item: str = ""
    new: str = ""


@frozen
class Finding:
    """id: a kind, stable. name: the import's or the package's. where: every place, the first is shown.

    remedy: the one command that mends it, or what to change where no command can. edits: what --fix does to wsb.yaml.
    """

    id: Kind
    severity: Severity
    name: str
    message: str
    where: tuple[Location, ...] = ()
    remedy: str = ""
    edits: tuple[Edit, ...] = ()


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by kind and name."""
    rank = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
    return tuple(sorted(findings, key=lambda one: (rank[one.severity], KINDS.index(one.id), one.name.lower())))


def findings_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """As `wsb check --json` has them."""
    return [
        {
            "id": one.id,
            "severity": one.severity.value,
            "name": one.name,
            "message": one.message,
            "where": [place_json(place) for place in one.where],
            "remedy": one.remedy,
            "fixable": bool(one.edits),
        }
        for one in findings
    ]


def place_json(place: Location) -> dict[str, Any]:
    found: dict[str, Any] = {"file": place.file}
    if place.line:
        found["line"] = place.line
    if place.column:
        found["column"] = place.column
    return found
