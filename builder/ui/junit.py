"""The report as JUnit XML: a testsuite for each group, a testcase for each check, hints inside the failures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from builder.model.report import Check, Report, Status
from builder.ui.report_text import shown

# What XML 1.0 cannot hold at all, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> bytes:
    """A UTF-8 document that CI servers read."""
    root = ET.Element("testsuites", {"name": "wsb test", **_counts(report.checks)})
    for group in dict.fromkeys(check.group for check in report.checks):
        checks = [check for check in report.checks if check.group == group]
        counts = {**_counts(checks), "skipped": _count(checks, Status.SKIP)}
        suite = ET.SubElement(root, "testsuite", {"name": _legal(f"wsb.{group}"), **counts})
        properties = ET.SubElement(suite, "properties")
        for name, value in (("image", report.image), ("device", report.device)):
            ET.SubElement(properties, "property", {"name": name, "value": _legal(value)})
        for check in checks:
            _add_case(suite, check)
    ET.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode("utf-8") + b"\n"


def _add_case(suite: ET.Element, check: Check) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=_legal(f"wsb.{check.group}"), name=_legal(check.id), time=f"{check.seconds:.3f}"
    )
    match check.status:
        case Status.FAIL:
            message = f"measured {shown(check.measured)}, expected {shown(check.expected)}"
            failure = ET.SubElement(case, "failure", message=_legal(message), type="check")
            failure.text = _legal(f"{message}\n{check.hint}".rstrip())
        case Status.SKIP:
            ET.SubElement(case, "skipped", message=_legal(check.hint))
        case Status.PASS:
            output = ET.SubElement(case, "system-out")
            output.text = _legal(f"measured {shown(check.measured)}, expected {shown(check.expected)}")


def _counts(checks: Sequence[Check]) -> dict[str, str]:
    return {
        "tests": str(len(checks)),
        "failures": _count(checks, Status.FAIL),
        "errors": "0",
        "time": f"{sum(check.seconds for check in checks):.3f}",
    }


def _count(checks: Sequence[Check], status: Status) -> str:
    return str(sum(check.status is status for check in checks))


def _legal(text: str) -> str:
    r"""text with what XML cannot hold written as \x1b, visibly."""
    return _FORBIDDEN.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
