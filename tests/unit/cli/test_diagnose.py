"""`wsb diagnose`: one document, exit 0 in all three cases, the words for people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def wsb(*arguments: str, stdin: bytes = b"", cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "builder", *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


@pytest.mark.parametrize(
    ("log", "found", "unknown"),
    [
        (b"ok\nImportError: libGL.so.1: cannot open shared object file: No such file or directory\n", ["libgl"], False),
        (b'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: of mine\n', [], True),
        (b"epoch 1 loss 0.2\n", [], False),
    ],
)
def test_one_document_on_stdout_and_exit_0(log: bytes, found: list[str], unknown: bool) -> None:
    done = wsb("diagnose", "--json", stdin=log)
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert set(document) == {"schema", "findings", "unknown"}
    assert document["schema"] == "wsb.diagnosis/1"
    assert ([finding["id"] for finding in document["findings"]], document["unknown"]) == (found, unknown)
    for finding in document["findings"]:
        assert set(finding) == {"id", "line", "cause", "remedy", "source"}
        assert all(finding.values())


def test_a_file_is_named_with_the_line_and_taken_below_the_directory_of_c(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text("one\nRuntimeError: No CUDA GPUs are available\n")
    done = wsb("-C", str(tmp_path), "diagnose", "run.log")
    assert done.returncode == 0
    assert done.stdout.decode().startswith("run.log:2: RuntimeError: No CUDA GPUs are available\n")
    assert "remedy" in done.stdout.decode()


def test_an_unknown_error_is_told_as_such_with_where_to_look() -> None:
    done = wsb("diagnose", stdin=b"ValueError: cannot frob the knob at 0x7f21\n")
    text = done.stdout.decode()
    assert "does not know" in text
    assert "cannot+frob+the+knob+at" in text
    assert "0x7f21" not in text.split("look for it")[1]


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    done = wsb("diagnose", "--json", "no-such.log")
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "no-such-file"
