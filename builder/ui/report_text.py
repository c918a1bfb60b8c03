"""The report as a person reads it: a table by groups, hints under what failed, and an honest last word on the GPU."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from builder.model.report import Check, Report, Status

_WORDS = {Status.PASS: "pass", Status.FAIL: "FAIL", Status.SKIP: "skip"}
_COLOURS = {Status.PASS: "32", Status.FAIL: "31;1", Status.SKIP: "33"}
_WIDEST_ID = 28


def report_text(report: Report, *, has_colour: bool = False, width: int = 120) -> str:
    """The whole report, newline at the end. width: columns of the terminal; longer cells are cut with an ellipsis."""
    lines: list[str] = []
    column = min(_WIDEST_ID, max((len(check.id) for check in report.checks), default=0))
    for group in dict.fromkeys(check.group for check in report.checks):
        lines.append(_one_line(group))
        checks = [check for check in report.checks if check.group == group]
        for check in checks:
            lines += check_lines(check, column=column, has_colour=has_colour, width=width)
        lines.append("")
    return "\n".join([*lines, _one_line(summary_line(report)), _one_line(gpu_line(report)), ""])


def check_lines(check: Check, *, column: int = _WIDEST_ID, has_colour: bool = False, width: int = 120) -> list[str]:
    """One check: its line, and under a failure what was expected and the hint."""
    word = _WORDS[check.status]
    painted = f"\x1b[{_COLOURS[check.status]}m{word}\x1b[0m" if has_colour else word
    room = max(20, width - column - 19)
    said = check.hint if check.status is Status.SKIP else shown(check.measured)
    if check.status is Status.PASS and check.expected is not None:
        said = f"{said} ({shown(check.expected)})" if check.measured is not None else shown(check.expected)
    lines = [f"  {painted}  {_one_line(check.id):<{column}}  {check.seconds:7.2f} s  {cut(_one_line(said), room)}".rstrip()]
    if check.status is Status.FAIL:
        lines.append(f"        expected: {_one_line(shown(check.expected))}")
        first, *rest = printable(check.hint).splitlines() or [""]
        if first:
            lines += [f"        hint: {first}", *(f"              {line}" for line in rest)]
    return lines


def summary_line(report: Report) -> str:
    """Such as "19 checks passed, 1 failed (torch.version), 5 skipped; 12.3 s"."""
    failed = [check.id for check in report.checks if check.status is Status.FAIL]
    names = f" ({', '.join(failed[:4])}{', …' if len(failed) > 4 else ''})" if failed else ""
    seconds = sum(check.seconds for check in report.checks)
    passed, skipped = report.count(Status.PASS), report.count(Status.SKIP)
    return f"{passed} {_plural(passed)} passed, {len(failed)} failed{names}, {skipped} skipped; {seconds:.1f} s"


def gpu_line(report: Report) -> str:
    """What this report says of the GPU, and no more than it says."""
    checks = [check for check in report.checks if check.group == "gpu"]
    ran = [check for check in checks if check.status is not Status.SKIP]
    failed = [check for check in ran if check.status is Status.FAIL]
    if report.device == "mock":
        wiring = "fail" if failed else "pass"
        return f"GPU: wiring {wiring}, compute not run (mock device)"
    if report.device != "none":
        if failed:
            return f"GPU: on {report.device}, {len(failed)} of {len(ran)} checks failed: do not rely on it"
        return f"GPU: {len(ran)} {_plural(len(ran))} ran on {report.device} and passed" + _left_out(checks)
    if failed:
        return f"GPU: asked for, and not reached ({', '.join(check.id for check in failed)})"
    if any(check.measured is not None for check in checks):  # it was looked for
        return "GPU: none is visible in this container; nothing here says whether one would work"
    return "GPU: no GPU was asked for; nothing here says whether one would work"


def _left_out(checks: Sequence[Check]) -> str:
    skipped = sum(check.status is Status.SKIP for check in checks)
    return f"; {skipped} more did not run" if skipped else ""


def _plural(count: int) -> str:
    return "check" if count == 1 else "checks"


def shown(value: Any) -> str:
    """A JSON value as a person would write it: no braces, no quotes around plain text."""
    match value:
        case None:
            return "-"
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name}={_inner(item)}" for name, item in value.items())
        case list():
            return ", ".join(_inner(item) for item in value) or "nothing"
        case _:
            return json.dumps(value)


def _inner(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(shown(item) for item in value) or "nothing"
    return f"({shown(value)})" if isinstance(value, dict) else shown(value)


def printable(text: str) -> str:
    """text without what would steer a terminal; the newlines stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
