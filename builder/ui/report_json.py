"""The report as one JSON document, wsb.report/1."""

from __future__ import annotations

from typing import Any

from builder.model.report import Check, Report, Status

SCHEMA = "wsb.report/1"


def report_document(report: Report) -> dict[str, Any]:
    """Everything the report holds, keys in the order a reader wants; a check's hint is left out when it has none."""
    return {
        "schema": SCHEMA,
        "image": report.image,
        "device": report.device,
        "checks": [check_document(check) for check in report.checks],
        "summary": {status.value: report.count(status) for status in Status},
    }


def check_document(check: Check) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": check.id,
        "group": check.group,
        "status": check.status.value,
        "measured": check.measured,
        "expected": check.expected,
        "seconds": check.seconds,
    }
    if check.hint:
        document["hint"] = check.hint
    return document
