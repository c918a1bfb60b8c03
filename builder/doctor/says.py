"""The three ways a check speaks: it is well, it is worth knowing, it is broken."""

from __future__ import annotations

from builder.model.report import Finding, Severity

Commands = tuple[tuple[str, ...], ...]


def fine(id: str, link: str, message: str) -> Finding:
    return Finding(id=id, severity=Severity.INFO, message=message, link=link)


def warning(id: str, link: str, message: str, remedy: str, fix: Commands = ()) -> Finding:
    return Finding(id=id, severity=Severity.WARNING, message=message, remedy=remedy, link=link, fix=fix)


def error(id: str, link: str, message: str, remedy: str, fix: Commands = ()) -> Finding:
    """fix: commands that mend it and can do no harm."""
    return Finding(id=id, severity=Severity.ERROR, message=message, remedy=remedy, link=link, fix=fix)
