"""The smoke test as an IDE starts it inside the container: sentences, and an exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.verify.conftest import PROBES

PLAN = {"name": "mnist", "python": "3.11", "torch": {"local": "2.6.0+cpu"}, "digest": "sha256:1"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What lies below /opt/wsb in an image, with checks of the test's own."""
    shutil.copytree(PROBES, tmp_path / "probes", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    return tmp_path


def smoke(image: Path, checks: str, *words: str) -> subprocess.CompletedProcess[str]:
    (image / "checks.py").write_text("from probe_kit import *\n" + checks)
    command = [sys.executable, str(image / "probes" / "smoke.py"), "--checks-file", str(image / "checks.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


GOOD = '@check("a.good", limit_s=20, is_quick=True)\ndef good(context):\n    return passed({"x": 1, "y": ["p", "q"]})\n'
BAD = '@check("a.bad", limit_s=20, is_quick=True)\ndef bad(context):\n    return failed("rain", "sun", "wait")\n'
DEVICES = """
@check("gpu.visible", limit_s=20, is_quick=True)
def visible(context):
    return {answer}
"""


def test_a_quick_run_says_only_what_matters(image: Path) -> None:
    done = smoke(image, GOOD, "--quick")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"wsb: mnist: Python 3.11, torch 2.6.0+cpu; {sys.prefix}",
        "wsb: 1 checks passed, 0 failed, 0 skipped",
        "wsb: GPU: none was asked for",
    ]


def test_a_failure_is_told_with_its_hint_and_by_the_exit_code(image: Path) -> None:
    done = smoke(image, GOOD + BAD, "--quick")
    assert done.returncode == 1
    assert "  FAIL  a.bad: rain\n        expected: sun\n        hint: wait\n" in done.stdout
    assert "a.good" not in done.stdout


def test_a_whole_run_tells_of_every_answer(image: Path) -> None:
    assert "  pass  a.good: x=1, y=p+q\n" in smoke(image, GOOD).stdout


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('passed({"devices": ["NVIDIA H200"], "is_mock": False})', "GPU: 1 checks ran on NVIDIA H200 and passed"),
        (
            'failed({"devices": ["NVIDIA H200"], "is_mock": False})',
            "GPU: on NVIDIA H200, 1 of 1 checks failed: do not rely on it",
        ),
        ('passed({"devices": [], "is_mock": True})', "GPU: wiring pass, compute not run (mock device)"),
        ('skipped("none", {"devices": [], "is_mock": False})', "GPU: none is visible in this container"),
        ('failed("no device file")', "GPU: asked for, and not reached (gpu.visible)"),
        ('skipped("nobody asked")', "GPU: none was asked for"),
    ],
)
def test_of_the_gpu_it_says_no_more_than_was_seen(image: Path, answer: str, words: str) -> None:
    (image / "expect.json").write_text(json.dumps({"gpu": {"mode": "auto"}}))
    assert smoke(image, DEVICES.format(answer=answer), "--quick").stdout.splitlines()[-1] == f"wsb: {words}"


def test_what_an_ide_expects_comes_from_the_image(image: Path) -> None:
    (image / "expect.json").write_text(json.dumps({"weather": "sun"}))
    told = '@check("a.told", limit_s=20, is_quick=True)\ndef told(context):\n    return passed(context.get("weather"))\n'
    assert "  pass  a.told: sun\n" in smoke(image, told).stdout


def test_an_image_without_its_plan_is_an_error_and_no_traceback(image: Path) -> None:
    (image / "plan.json").unlink()
    done = smoke(image, GOOD)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
