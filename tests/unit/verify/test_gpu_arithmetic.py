"""The GPU checks' arithmetic is right on the processor, and each finds a fault in what it computes with.

No GPU is needed to show that: the functions take the device they compute on.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.verify.conftest import PROBES

Answers = dict[str, dict[str, Any]]
SCRIPT = Path(__file__).parents[2] / "support" / "gpu_arithmetic.py"
CASES = (
    "add",
    "matmul.fp32",
    "matmul.tf32",
    "matmul.fp16",
    "matmul.bf16",
    "matmul.fp8",
    "reduce",
    "conv2d",
    "conv2d.backward",
    "sdpa",
    "sdpa.bf16",
    "svd",
    "sgd",
    "loader",
    "peer",
)


@pytest.fixture(scope="module")
def answers(torch_python: str) -> Answers:
    ran = subprocess.run([torch_python, str(SCRIPT), str(PROBES)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.partition("answers:")[2])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("case", [*CASES, "gloo"])
def test_what_is_right_passes(answers: Answers, case: str) -> None:
    assert answers[f"{case} right"]["status"] == "pass", answers[f"{case} right"]


@pytest.mark.parametrize("case", [*CASES, "gloo.sum", "gloo.crash"])
def test_what_is_wrong_fails(answers: Answers, case: str) -> None:
    assert answers[f"{case} wrong"]["status"] == "fail", answers[f"{case} wrong"]


def test_a_process_that_broke_is_quoted(answers: Answers) -> None:
    broken = answers["gloo.crash wrong"]
    assert broken["measured"]["exit_code"] != 0
    assert "it broke" in broken["hint"]


def test_speeds_are_measured_and_never_a_failure(answers: Answers) -> None:
    copies, products = answers["speed copies"], answers["speed products"]
    assert copies["status"] == products["status"] == "pass"
    assert min(copies["measured"].values()) > 0
    assert set(products["measured"]) == {"bfloat16_tflops", "float32_tflops"}
