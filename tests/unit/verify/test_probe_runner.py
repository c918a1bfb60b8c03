"""The runner always comes back with an answer: whatever a check does to its own process is a result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from builder.model.report import Status
from builder.verify.reader import CheckFinished, CheckStarted, RunBegun

from .conftest import PROBES, RunProbes

HEADER = "import os, signal, subprocess, sys, time\nfrom probe_kit import *\n"


@pytest.fixture
def checks_file(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "checks.py"
        path.write_text(HEADER + dedent(text))
        return path

    return write


START = pytest.mark.parametrize("start", ["PLAIN", "FRESH"])


@START
def test_a_hang_is_stopped_and_says_where_it_stood(probes: RunProbes, checks_file, start: str):
    ran = probes(
        "--time-limit-scale",
        "0.05",
        checks_file=checks_file(f"""
            @check("compute.hang", limit_s=20, start={start}, needs_torch=False)
            def waits_for_ever(context):
                signal.pause()
            """),
    )
    check = ran["compute.hang"]
    assert (check.status, check.measured) == (Status.FAIL, "no answer within 1 s")
    assert "waits_for_ever" in check.hint


@START
def test_a_hang_that_ignores_signals_is_killed_with_its_children(probes: RunProbes, checks_file, tmp_path: Path, start: str):
    ran = probes(
        "--time-limit-scale",
        "0.05",
        checks_file=checks_file(f"""
            @check("compute.deaf", limit_s=20, start={start}, needs_torch=False)
            def deaf(context):
                import faulthandler
                faulthandler.disable()
                signal.signal(signal.SIGABRT, signal.SIG_IGN)
                child = subprocess.Popen(["sleep", "1000"])
                with open({str(tmp_path / "pid")!r}, "w") as file:
                    file.write(str(child.pid))
                while True:
                    time.sleep(100)

            @check("compute.next", limit_s=2400, start={start}, needs_torch=False)
            def after(context):
                return passed("still here")
            """),
    )
    assert ran["compute.deaf"].measured == "no answer within 1 s"
    pid = int((tmp_path / "pid").read_text())
    assert not is_running(pid)
    assert ran["compute.next"].status is Status.PASS
    assert ran.exit_code == 0


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@START
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGKILL"])
def test_a_crash_is_a_failure_with_the_signals_name(probes: RunProbes, checks_file, start: str, name: str):
    ran = probes(
        checks_file=checks_file(f"""
            @check("compute.crash", limit_s=60, start={start}, needs_torch=False)
            def crash(context):
                print("last words", flush=True)
                os.kill(os.getpid(), signal.{name})

            @check("compute.next", limit_s=60, start={start}, needs_torch=False)
            def after(context):
                return passed("still here")
            """)
    )
    assert (ran["compute.crash"].status, ran["compute.crash"].measured) == (Status.FAIL, f"ended by {name}")
    assert "last words" in ran["compute.crash"].hint
    assert ran["compute.next"].status is Status.PASS


@START
def test_stray_prints_do_not_get_between_the_answers(probes: RunProbes, checks_file, start: str):
    ran = probes(
        checks_file=checks_file(f"""
            print("while loading")

            @check("compute.noisy", limit_s=60, start={start}, needs_torch=False)
            def noisy(context):
                print('{{"event": "end"}}')
                os.write(1, b"\\xff\\x00 half a line")
                os.write(2, b"x" * 300000)
                subprocess.call(["echo", "from a child"])
                return passed("done", 1)
            """)
    )
    events = [json.loads(line)["event"] for line in ran.stdout.splitlines() if line.startswith(b"{")]
    assert events == ["begin", "started", "finished", "end"]
    assert ran["compute.noisy"].status is Status.PASS


def test_nothing_but_the_protocol_is_on_stdout(probes: RunProbes):
    ran = probes("--check", "environment.home", "--check", "environment.resources", expect={})
    assert ran.report.has_passed
    for line in ran.stdout.splitlines():
        json.loads(line)


@START
def test_an_exit_without_an_answer_is_a_failure(probes: RunProbes, checks_file, start: str):
    ran = probes(
        checks_file=checks_file(f"""
            @check("compute.exits", limit_s=60, start={start}, needs_torch=False)
            def exits(context):
                os._exit(3)

            @check("compute.raises", limit_s=60, start={start}, needs_torch=False)
            def raises(context):
                raise RuntimeError("no such operator")

            @check("compute.mumbles", limit_s=60, start={start}, needs_torch=False)
            def mumbles(context):
                return "fine, I think"
            """)
    )
    assert ran["compute.exits"].measured == "ended with exit code 3 and no answer"
    assert ran["compute.raises"].measured == "RuntimeError: no such operator"
    assert "in raises" in ran["compute.raises"].hint
    assert ran["compute.mumbles"].status is Status.FAIL


@START
def test_memory_that_runs_out_is_said(probes: RunProbes, checks_file, start: str):
    ran = probes(
        checks_file=checks_file(f"""
            @check("compute.greedy", limit_s=60, start={start}, needs_torch=False)
            def greedy(context):
                import resource
                resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
                return passed(len(bytearray(1 << 40)))
            """)
    )
    assert (ran["compute.greedy"].status, ran["compute.greedy"].measured) == (Status.FAIL, "out of memory")


@START
def test_a_long_answer_with_strange_values_arrives_whole(probes: RunProbes, checks_file, start: str):
    ran = probes(
        checks_file=checks_file(f"""
            @check("compute.long", limit_s=60, start={start}, needs_torch=False)
            def long(context):
                return passed({{"text": "ü\\ud800" * 200000, "nan": float("nan"), 3: {{1}}}}, float("inf"))
            """)
    )
    check = ran["compute.long"]
    assert check.status is Status.PASS
    assert check.measured == {"text": "ü?" * 200000, "nan": "nan", "3": [1]}
    assert check.expected == "inf"


@START
def test_a_grandchild_that_keeps_the_pipes_open_does_not_hold_up_the_run(probes: RunProbes, checks_file, start: str):
    ran = probes(
        checks_file=checks_file(f"""
            @check("compute.leaves", limit_s=600, start={start}, needs_torch=False)
            def leaves(context):
                if os.fork() == 0:
                    os.setsid()
                    signal.alarm(60)
                    signal.pause()
                os.kill(os.getpid(), signal.SIGSEGV)
            """)
    )
    assert ran["compute.leaves"].measured == "ended by SIGSEGV"


def test_checks_cannot_see_what_another_did(probes: RunProbes, checks_file):
    ran = probes(
        checks_file=checks_file("""
            @check("compute.first", limit_s=60)
            def first(context):
                os.environ["WSB_LEAK"] = "1"
                context.expected["leak"] = 1
                return passed()

            @check("compute.second", limit_s=60)
            def second(context):
                return verdict("WSB_LEAK" not in os.environ and "leak" not in context.expected, None, None)
            """)
    )
    assert ran["compute.second"].status is Status.PASS


def test_events_come_in_order(probes: RunProbes, checks_file):
    path = checks_file("""
        @check("a.x", limit_s=60, is_quick=True)
        def x(context):
            return passed()

        @check("b.y", limit_s=60)
        def y(context):
            return skipped("no reason")
        """)
    ran = probes(checks_file=path)
    assert ran.events[:2] == (RunBegun(ids=("a.x", "b.y")), CheckStarted(id="a.x"))
    assert [event.check.id for event in ran.events if isinstance(event, CheckFinished)] == ["a.x", "b.y"]
    assert [check.id for check in probes("--quick", checks_file=path).report.checks] == ["a.x"]
    assert [check.id for check in probes("--group", "b", checks_file=path).report.checks] == ["b.y"]
    assert [check.id for check in probes("--check", "b.y", "--check", "a.x", checks_file=path).report.checks] == ["a.x", "b.y"]


@pytest.mark.parametrize("option", [["--check", "a.z"], ["--group", "a,c"], ["--plan", "/no/such/file"]])
def test_a_question_that_cannot_be_asked_is_exit_2_and_names_what_there_is(probes: RunProbes, checks_file, option: list[str]):
    path = checks_file('check("a.x", limit_s=60)(lambda context: passed())')
    ran = probes(*option, checks_file=path)
    assert ran.exit_code == 2
    assert not ran.report.has_passed
    assert "a.x" in ran.stderr or "there are: a" in ran.stderr or "/no/such/file" in ran.stderr


def test_a_broken_torch_fails_its_import_and_skips_what_needs_it(probes: RunProbes, tmp_path: Path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')")
    ran = probes("--group", "torch,compute,data", env={"PYTHONPATH": str(tmp_path)})
    assert ran["torch.import"].status is Status.FAIL
    assert "libgomp.so.1" in ran["torch.import"].measured
    assert "missing from the image" in ran["torch.import"].hint
    assert {check.status for check in ran.report.checks if check.id != "torch.import"} == {Status.SKIP}
    assert ran["data.loader"].hint == "torch cannot be imported here: see torch.import"


def test_one_torch_check_alone_fails_when_torch_cannot_be_imported(probes: RunProbes, tmp_path: Path):
    (tmp_path / "torch.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    ran = probes("--check", "torch.version", env={"PYTHONPATH": str(tmp_path)})
    assert (ran["torch.version"].status, ran["torch.version"].measured) == (Status.FAIL, "ended by SIGILL")
    assert "CPU" in ran["torch.version"].hint


def test_an_import_that_hangs_is_a_failure(probes: RunProbes, tmp_path: Path):
    (tmp_path / "torch.py").write_text("import signal\nsignal.pause()\n")
    ran = probes("--group", "torch", "--time-limit-scale", "0.01", env={"PYTHONPATH": str(tmp_path)})
    assert ran["torch.import"].measured == "no answer within 1.8 s"
    assert "torch.py" in ran["torch.import"].hint


def test_a_plan_without_torch_skips_the_torch_checks(probes: RunProbes):
    ran = probes("--group", "torch,compute,data,gpu", expect={"torch": None})
    asked_for = {"gpu.wiring", "gpu.nvml", "gpu.cuda", "gpu.compat"}  # those need no torch, and nobody asked for a GPU
    assert {check.status for check in ran.report.checks} == {Status.SKIP}
    assert {check.hint for check in ran.report.checks if check.id not in asked_for} == {"this plan has no torch"}
    assert {check.hint for check in ran.report.checks if check.id in asked_for} == {"no device was asked for"}
    assert not ran.report.has_passed


def test_the_projects_modules_are_not_shadowed_by_the_probes(probes: RunProbes, checks_file, tmp_path: Path):
    (tmp_path / "run.py").write_text("OWNER = 'project'")
    ran = probes(
        checks_file=checks_file("""
            @check("a.x", limit_s=60)
            def x(context):
                import run
                return verdict(run.OWNER == "project", run.__file__, None)
            """),
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert ran["a.x"].status is Status.PASS


def test_a_listener_that_goes_away_ends_the_run_quietly(checks_file):
    path = checks_file('check("a.x", limit_s=60)(lambda context: passed("long " * 100000))')
    command = [sys.executable, str(PROBES / "run.py"), "--checks-file", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert b"Traceback" not in complaint


def other_pythons() -> list[str]:
    """Interpreters of other releases on this machine, as pyenv keeps them or as a distribution names them."""
    found = {str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin/python")}
    found |= {path for minor in range(6, 20) if (path := shutil.which(f"python3.{minor}")) and "shims" not in path}
    return sorted(found)


@pytest.mark.parametrize("python", other_pythons() or [pytest.param("", marks=pytest.mark.skip("no other Python is here"))])
def test_the_probes_run_under_every_python_that_is_here(probes: RunProbes, python: str, tmp_path: Path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("from . import version\n__version__ = '1.0.0'\n")
    (tmp_path / "torch" / "version.py").write_text("cuda = None\n")
    env = {"PYTHONPATH": str(tmp_path)}
    ids = ("environment.home", "environment.resources", "environment.user", "torch.import", "torch.version", "gpu.visible")
    expect = {"torch": {"version": "1.0.0"}}
    ran = probes(*(word for id in ids for word in ("--check", id)), python=python, env=env, expect=expect)
    assert [check.status for check in ran.report.checks] == [Status.PASS] * 5 + [Status.SKIP], ran.report


def test_no_bytecode_is_left_beside_the_probes(probes: RunProbes):
    before = set(PROBES.rglob("*.pyc"))  # whoever compiled the whole checkout may have left some
    probes("--check", "environment.home", env={key: "" for key in os.environ if key == "PYTHONDONTWRITEBYTECODE"})
    assert set(PROBES.rglob("*.pyc")) == before
