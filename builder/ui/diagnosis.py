"""A diagnosis for people, and as the JSON document wsb.diagnosis/1."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

from builder.model.diagnosis import Diagnosis, KnownCause, Role, UnknownError
from builder.ui.text import fit, plain

SCHEMA = "wsb.diagnosis/1"
_ROLES = {
    Role.CAUSE: "",
    Role.CONSEQUENCE: "  (follows from another failure)",
    Role.NOTICE: "  (worth knowing; by itself it stops nothing)",
}
# What is particular to one run and would find nothing: paths, numbers, quoted names, addresses.
_PARTICULAR = re.compile(r"'[^']*/[^']*'|\"[^\"]*/[^\"]*\"|\S*/\S+|0x[0-9a-f]+|\b\d[\d.,:-]*\b")


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """wsb.diagnosis/1."""
    return {
        "schema": SCHEMA,
        "findings": [
            {
                "id": finding.id,
                "line": finding.line,
                "cause": finding.cause,
                "remedy": finding.remedy,
                "source": finding.source,
            }
            for finding in diagnosis.findings
        ],
        "unknown": bool(diagnosis.unknown),
    }


def diagnosis_lines(diagnosis: Diagnosis, name: str = "line", width: int = 100) -> Iterator[str]:
    """Lines for a terminal. name: what stands before a line's number, such as the log's file name."""
    for number, finding in enumerate(diagnosis.findings):
        if number:
            yield ""
        yield fit(f"{name}:{finding.line}: {plain(finding.text)}", width)
        yield from finding_lines(finding, width)
    if diagnosis.unknown:
        if diagnosis.findings:
            yield ""
        yield "An error that the catalogue does not know:" if diagnosis.findings else "The catalogue does not know this error:"
        for error in diagnosis.unknown[:3]:
            yield fit(f"  {name}:{error.line}: {plain(error.text)}", width)
        yield from (f"  look for it at {place}" for place in places_to_look(diagnosis.unknown[0]))
    elif not diagnosis.findings:
        yield "No error found."


def finding_lines(finding: KnownCause, width: int = 100) -> Iterator[str]:
    """One finding without its place in the log."""
    yield f"  known as  {finding.id}{_ROLES[finding.role]}"
    for title, text in (("cause", finding.cause), ("remedy", finding.remedy), ("source", finding.source)):
        indent = " " * 12
        yield from textwrap.wrap(
            f"  {title:<10}{text}", width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )


def places_to_look(error: UnknownError) -> Iterator[str]:
    """Where an answer to an unknown error would be: the issues of the package that raised it, then everywhere."""
    words = quote_plus(" ".join(_PARTICULAR.sub(" ", plain(error.text)).split())[:120].strip())
    if error.package:
        yield f"https://github.com/search?type=issues&q={error.package}+{words}"
    yield (
        f"https://github.com/search?type=issues&q={words}"
        if not error.package
        else f"https://discuss.pytorch.org/search?q={words}"
    )
    yield f"https://stackoverflow.com/search?q={words}"
