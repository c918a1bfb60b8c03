"""Packages and what is wrong with them, for people: one finding a paragraph, one package a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from builder.model.report import Severity
from builder.model.values import Location
from builder.packages.findings import Finding
from builder.packages.listing import Row
from builder.ui.text import width

_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def check_lines(
    findings: Sequence[Finding], fixed: Sequence[Finding], imports: int, *, is_against_image: bool
) -> Iterator[str]:
    """Everything a check found, the worst first, and a last line that sums it up."""
    for one in findings:
        yield f"{_WORDS[one.severity]}: {one.id}: {one.message}"
        if one.where:
            yield f"  --> {places(one.where)}"
        if one.remedy:
            yield f"  mend: {one.remedy}"
    for one in fixed:
        changes = ", ".join(_change(edit.item, edit.new) for edit in one.edits)
        yield f"fixed: {one.id}: {one.name}: {changes}"
    if findings or fixed:
        yield ""
    against = "what the image has" if is_against_image else "what is declared (no image was looked at)"
    errors = sum(one.severity is Severity.ERROR for one in findings)
    warnings = sum(one.severity is Severity.WARNING for one in findings)
    notes = len(findings) - errors - warnings
    counts = f"{errors} errors, {warnings} warnings, {notes} notes"
    yield f"{imports} imports held against {against}: {counts}" + (f"; {len(fixed)} fixed in wsb.yaml" if fixed else "")
    if fixed:
        yield "`wsb build` brings the image up to date"


def places(where: Sequence[Location]) -> str:
    """The first place, and how many more there are."""
    more = len(where) - 1
    return f"{where[0]}" + (f" and {more} more" if more else "")


def _change(item: str, new: str) -> str:
    if item and new:
        return f"{item} is now {new}"
    return f"{new} added" if new else f"{item} removed"


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> Iterator[str]:
    """Columns as wide as what is in them, two blanks between."""
    lines = [head, *rows]
    widths = [max(width(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [cell + " " * (widths[column] - width(cell)) for column, cell in enumerate(line)]
        yield "  ".join(cells).rstrip()


def package_lines(rows: Sequence[Row]) -> Iterator[str]:
    """What `wsb list` prints."""
    if not rows:
        yield "no such package"
        return
    cells = [(row.name, row.version or "–", row.source, _asked(row)) for row in rows]
    yield from table(cells, ("NAME", "VERSION", "FROM", "ASKED FOR BY"))


def _asked(row: Row) -> str:
    if row.where is not None:
        return str(row.where)
    if row.is_asked:
        return "the plan"
    if not row.brought_by:
        return "comes with the environment"
    shown = ", ".join(row.brought_by[:3]) + (f" and {len(row.brought_by) - 3} more" if len(row.brought_by) > 3 else "")
    return f"brought by {shown}"


def search_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """What `wsb search` prints."""
    name, means = document["name"], document.get("means")
    if means is None:
        yield f"{name}: {document['because']}"
        for hint in document["hints"]:
            yield f"  {hint}"
        return
    yield f"{name} is {means} ({document['kind']})" + (f": {document['because']}" if "because" in document else "")
    if "version" in document:
        how = "a wheel" if document["as"] == "wheel" else "source, to be built"
        yield f"  here: {document['version']} for Python {document['python']}, as {how}, from {document['index']}"
    if "why_not" in document:
        yield f"  here: {document['why_not']}"
    if document.get("versions"):
        yield f"  releases: {', '.join(document['versions'])}"
    if "conda" in document:
        conda = document["conda"]
        yield f"  conda: {conda.get('version') or conda.get('why_not')}"
    if "known" in document:
        yield f"  known: {document['known']}"
    if document["found"]:
        yield f"  to add it: wsb add {_word(str(name))}"


def _word(name: str) -> str:
    return f'"{name}"' if set(name) & set(" <>=@") else name
