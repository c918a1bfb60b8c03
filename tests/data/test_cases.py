"""Facts with known answers, each asked through the command line: `wsb plan --json --host` and `wsb catalog --json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cases import misses

CASES = [json.loads(line) for line in (Path(__file__).parent / "resolution.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_known_answer_comes_out(case: dict[str, Any], tmp_path: Path) -> None:
    assert misses(case, tmp_path) == []


def test_no_case_comes_twice() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert len({json.dumps([case["kind"], case["input"]]) for case in CASES}) == len(CASES)
