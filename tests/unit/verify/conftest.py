"""Runs the real probe runner in a subprocess and hands back the Report that the real reader makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder.model.report import Check, Report
from builder.verify.reader import CheckEvent, ReportReader
from tests.support.torch_python import NoTorch, made_torch_python

PROBES = Path(__file__).resolve().parents[3] / "builder" / "verify" / "probes"
TORCH_PYTHON = "WSB_TEST_TORCH_PYTHON"


@dataclass(frozen=True, kw_only=True)
class Ran:
    report: Report
    events: tuple[CheckEvent, ...]
    exit_code: int
    stdout: bytes
    stderr: str

    def __getitem__(self, id: str) -> Check:
        return next(check for check in self.report.checks if check.id == id)


RunProbes = Callable[..., Ran]


def run_probes(
    *options: str,
    python: str = sys.executable,
    expect: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    checks_file: Path | None = None,
) -> Ran:
    """env is laid over this process's own; the interpreter's folder comes first on PATH, as in an active environment."""
    command: Sequence[str] = [python, str(PROBES / "run.py"), *options]
    if expect is not None:
        command = [*command, "--expect", json.dumps(expect)]
    if checks_file is not None:
        command = [*command, "--checks-file", str(checks_file)]
    path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(command, capture_output=True, env={**os.environ, "PATH": path, **(env or {})}, cwd=cwd, check=False)
    events: list[CheckEvent] = []
    reader = ReportReader(events.append)
    reader.feed(ran.stdout)
    return Ran(
        report=reader.report("test", ran.returncode),
        events=tuple(events),
        exit_code=ran.returncode,
        stdout=ran.stdout,
        stderr=ran.stderr.decode("utf-8", "replace"),
    )


@pytest.fixture
def probes() -> RunProbes:
    return run_probes


@pytest.fixture(scope="session")
def torch_python(request: pytest.FixtureRequest) -> str:
    """A Python that has torch; the probes run there, never in this process."""
    python = os.environ.get(TORCH_PYTHON)
    if python:
        return python
    try:
        return str(made_torch_python(request.config.rootpath / ".cache"))
    except NoTorch as error:
        pytest.skip(f"{error}; {TORCH_PYTHON} names a Python that has torch")
