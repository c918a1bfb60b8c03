"""`wsb doctor`: one document, the exit code, and what --fix does and does not do."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from builder.cli.doctor import mend
from builder.model.report import Finding, Severity
from builder.ui.console import Console

ROOT = Path(__file__).resolve().parents[3]
UVM = Finding(
    id="uvm-missing",
    severity=Severity.ERROR,
    message="/dev/nvidia-uvm is missing",
    remedy="`sudo modprobe nvidia-uvm`",
    link="nvml",
    fix=(("modprobe", "nvidia-uvm"), ("nvidia-modprobe", "-u")),
)
TOOLKIT = Finding(id="toolkit-missing", severity=Severity.ERROR, message="no toolkit", remedy="install it", link="toolkit")


def doctor(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """On this machine, with an engine that does not answer and a proxy that refuses: nothing outside is asked."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    environ |= dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    environ |= {"NO_PROXY": "", "no_proxy": ""}
    words = [sys.executable, "-m", "builder", "-C", str(tmp_path), "doctor", *arguments]
    return subprocess.run(
        words, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False, stdin=subprocess.DEVNULL
    )


def test_with_the_engine_stopped_it_is_named_as_broken_and_the_exit_code_is_1(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert f"FAIL engine no container engine answers at unix://{tmp_path}/no.sock" in said
    assert "unset DOCKER_HOST" in said
    assert done.stdout.splitlines()[-1].startswith("broken: engine")


def test_one_document_with_the_host_the_engine_and_the_findings(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert set(document) == {"schema", "host", "engine", "findings"}
    assert (document["schema"], document["host"]["schema"]) == ("wsb.doctor/1", "wsb.host/1")
    assert "no container engine answers" in document["engine"]["unknown"]
    assert all(set(one) == {"id", "link", "severity", "message", "remedy"} for one in document["findings"])
    assert {one["id"] for one in document["findings"] if one["severity"] == "error"} >= {
        "engine-unreachable",
        "pip-unreachable",
    }


def test_its_host_is_one_that_plan_takes(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(json.dumps(json.loads(doctor(tmp_path, "--json").stdout)["host"]))
    (tmp_path / "wsb.yaml").write_text("name: x\ntorch: none\n")
    words = [sys.executable, "-m", "builder", "-C", str(tmp_path), "plan", "--json", "--host", str(tmp_path / "host.json")]
    done = subprocess.run(words, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert (done.returncode, json.loads(done.stdout)["schema"]) == (0, "wsb.plan/1")


def test_fix_without_a_terminal_does_nothing_and_says_how(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--fix")
    assert done.returncode == 1
    assert "decision of yours" in done.stderr or "--yes does it" in done.stderr


class Told:
    """A console that keeps what it was told, and a hand that runs nothing."""

    def __init__(self, failing: str = "") -> None:
        self.text = io.StringIO()
        self.console = Console(io.StringIO(), self.text, {}, False)
        self.ran: list[tuple[str, ...]] = []
        self.failing = failing

    def run(self, words: Sequence[str]) -> str:
        self.ran.append(tuple(words))
        return f"{words[0]} ended badly" if words[0] == self.failing else ""


def test_fix_says_what_it_runs_before_it_does() -> None:
    told = Told()
    seen: list[str] = []

    def may(_: Console) -> bool:
        seen.append(told.text.getvalue())
        return True

    assert mend(told.console, [TOOLKIT, UVM], may, told.run)
    assert "runs: modprobe nvidia-uvm" in seen[0]
    assert told.ran == list(UVM.fix)


def test_fix_stops_at_a_command_that_fails_and_tells_it() -> None:
    told = Told(failing="modprobe")
    assert mend(told.console, [UVM], lambda _: True, told.run)
    assert told.ran == [("modprobe", "nvidia-uvm")]
    assert "modprobe ended badly" in told.text.getvalue()


def test_fix_does_nothing_that_was_not_agreed_to() -> None:
    told = Told()
    assert not mend(told.console, [UVM], lambda _: False, told.run)
    assert told.ran == []


def test_what_needs_a_decision_is_not_mended() -> None:
    told = Told()
    assert not mend(told.console, [TOOLKIT], lambda _: True, told.run)
    assert "decision of yours" in told.text.getvalue()
