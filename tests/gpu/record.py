"""Runs every probe under a Python that has torch and a GPU, and keeps the report with its date.

    python tests/gpu/record.py [--python PYTHON] [--folder FOLDER]

Needs no engine and nothing installed beside that torch: the machine with the GPU may have neither docker nor a network.
The report goes to tests/gpu/reports/<date>-<card>.json, and tests/gpu/test_reports.py holds it against the cards' figures.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPORTS = Path(__file__).with_name("reports")
EXPECTED = {"gpu": {"mode": "required", "way": "host"}}


def record(python: str) -> dict[str, Any]:
    """The report as wsb.report/1, with the day it was made."""
    sys.path.insert(0, str(ROOT))
    from builder.ui.report_json import report_document
    from builder.verify.reader import CheckFinished, ReportReader

    def tell(event: object) -> None:
        if isinstance(event, CheckFinished):
            check = event.check
            print(f"{check.status.value:5} {check.id:24} {check.measured} {check.hint}", file=sys.stderr, flush=True)

    command = [python, str(ROOT / "builder/verify/probes/run.py"), "--group", "torch,compute,data,gpu"]
    reader = ReportReader(tell)
    with subprocess.Popen([*command, "--expect", json.dumps(EXPECTED)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            reader.feed(line)
    document = report_document(reader.report(f"no image: {python}", process.returncode))
    return {**document, "date": datetime.now(timezone.utc).date().isoformat()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch (default: this one)")
    parser.add_argument("--folder", type=Path, default=REPORTS, help="where the report is kept")
    options = parser.parse_args()
    report = record(options.python)
    if report["device"] in ("none", "mock"):
        print("error: no GPU was reached, so there is nothing to keep", file=sys.stderr)
        return 1
    card = re.sub(r"[^a-z0-9]+", "-", report["device"].lower()).strip("-")
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / f"{report['date']}-{card}.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(path)
    return 0 if report["summary"]["fail"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
