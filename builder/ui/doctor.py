"""What doctor found, for people, and as the JSON document wsb.doctor/1."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from builder.model.engine import EngineInfo
from builder.model.host import Host
from builder.model.report import Finding, Severity
from builder.model.values import Unknown
from builder.ui.host_json import host_document

SCHEMA: Final = "wsb.doctor/1"
_MARKS: Final = {Severity.INFO: "ok", Severity.WARNING: "warn", Severity.ERROR: "FAIL"}
_COLOURS: Final = {Severity.INFO: "32", Severity.WARNING: "33", Severity.ERROR: "31"}
_MARK_WIDTH: Final = 6
_TITLE_WIDTH: Final = 19

Titles = Sequence[tuple[str, str, bool]]  # (link, what people call it, whether it is of the chain)


def doctor_document(host: Host, findings: Sequence[Finding]) -> dict[str, Any]:
    """wsb.doctor/1. engine: what it is, or {"unknown": why it cannot be asked}."""
    engine = host.engine
    if isinstance(engine, EngineInfo):
        told = {key: value for key, value in asdict(engine).items() if value not in ("", ())}
    else:
        told = {"unknown": engine.because if isinstance(engine, Unknown) else "nobody asked it"}
    return {
        "schema": SCHEMA,
        "host": host_document(host),
        "engine": told,
        "findings": _documents(findings),
    }


def cluster_document(on: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """wsb.doctor/1 of a cluster instead of this machine."""
    return {"schema": SCHEMA, "on": on, "findings": _documents(findings)}


def _documents(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "id": finding.id,
            "link": finding.link,
            "severity": finding.severity.value,
            "message": finding.message,
            "remedy": finding.remedy,
        }
        for finding in findings
    ]


def doctor_lines(
    name: str, titles: Titles, findings: Sequence[Finding], *, width: int = 100, has_colour: bool = False
) -> Iterator[str]:
    """One line a finding, its remedy below it, in the order of the chain. name: of the machine's system."""
    yield name
    yield ""
    has_broken = False
    for link, title, is_of_chain in titles:
        own = [finding for finding in findings if finding.link == link]
        for number, finding in enumerate(own):
            yield from _finding(finding, "" if number else title, width, has_colour)
        if not own and is_of_chain:
            why = "not looked at: a link before it is broken" if has_broken else "plays no part here"
            yield f"{'-':<{_MARK_WIDTH}}{title:<{_TITLE_WIDTH}}{why}"
        has_broken = has_broken or any(finding.severity is Severity.ERROR for finding in own)
    yield ""
    yield summary(titles, findings)


def summary(titles: Titles, findings: Sequence[Finding]) -> str:
    """The whole in one line."""
    broken = [title for link, title, _ in titles if any(f.link == link and f.severity is Severity.ERROR for f in findings)]
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    warned = f"{warnings} warning{'s' if warnings != 1 else ''}" if warnings else ""
    if broken:
        return f"broken: {', '.join(broken)}" + (f"; {warned}" if warned else "")
    return "nothing is broken" + (f"; {warned}" if warned else "")


def _finding(finding: Finding, title: str, width: int, has_colour: bool) -> Iterator[str]:
    mark = f"{_MARKS[finding.severity]:<{_MARK_WIDTH}}"
    if has_colour:
        mark = f"\x1b[{_COLOURS[finding.severity]}m{mark}\x1b[0m"
    indent = " " * (_MARK_WIDTH + _TITLE_WIDTH)
    room = max(width - len(indent), 30)
    texts = [finding.message, *([f"→ {finding.remedy}"] if finding.remedy else [])]
    lines = [line for text in texts for line in _wrapped(text, room)]
    yield f"{mark}{title:<{_TITLE_WIDTH}}{lines[0]}"
    yield from (f"{indent}{line}" for line in lines[1:])


def _wrapped(text: str, room: int) -> list[str]:
    hanging = "  " if text.startswith("→") else ""
    return textwrap.wrap(text, room, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False) or [text]
