"""What Slurm's commands say, understood; a login node over ssh; doctor's questions. Recorded from Slurm 22.05.8."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import WsbError
from builder.launch.job import Job, Record, State, Status
from builder.launch.proof import report
from builder.launch.records import all_records, find, remember
from builder.launch.shell import LocalShell, SshShell
from builder.launch.slurm import doctor
from builder.launch.slurm.client import Slurm, job_fields, status
from builder.model.report import Severity
from builder.model.report import Status as Verdict
from tests.support.jobs import job
from tests.support.programs import programs

RUNNING = (
    "JobId=3 JobName=my job UserId=ada(20001) GroupId=ada(20001) MCS_label=N/A Priority=4294901757 Nice=0 "
    "JobState=RUNNING Reason=None Dependency=(null) Requeue=0 ExitCode=0:0 RunTime=00:00:04 NodeList=n[1-2] BatchHost=n1 "
    "Command=/shared/a b/job.sh WorkDir=/shared StdOut=/shared/x=y.log TresPerNode=gres:gpu:2"
)


def changed(**fields: str) -> dict[str, str]:
    return {**job_fields(RUNNING), **fields}


def test_values_with_blanks_and_equals_signs_are_read_whole() -> None:
    fields = job_fields(RUNNING)
    assert fields["JobName"] == "my job"
    assert fields["Command"] == "/shared/a b/job.sh"
    assert fields["StdOut"] == "/shared/x=y.log"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Status(state=State.RUNNING, nodes="n[1-2]")),
        ({"JobState": "COMPLETING"}, Status(state=State.RUNNING, nodes="n[1-2]")),
        (
            {"JobState": "PENDING", "Reason": "Resources", "NodeList": "(null)"},
            Status(state=State.WAITING, reason="it is the next, and waits until enough nodes are free"),
        ),
        ({"JobState": "PENDING", "Reason": "None"}, Status(state=State.WAITING)),
        ({"JobState": "PENDING", "Reason": "SomethingNew"}, Status(state=State.WAITING, reason="SomethingNew")),
        ({"JobState": "COMPLETED"}, Status(state=State.DONE, exit_code=0, nodes="n[1-2]")),
        ({"JobState": "CANCELLED by 20001", "ExitCode": "0:15"}, Status(state=State.CANCELLED, nodes="n[1-2]")),
        (
            {"JobState": "FAILED", "ExitCode": "7:0"},
            Status(state=State.FAILED, reason="it ended with exit code 7", exit_code=7, nodes="n[1-2]"),
        ),
        (
            {"JobState": "FAILED", "ExitCode": "0:9"},
            Status(state=State.FAILED, reason="it ended with exit code 137", exit_code=137, nodes="n[1-2]"),
        ),
        (
            {"JobState": "TIMEOUT", "ExitCode": "0:0"},
            Status(state=State.FAILED, reason="its time was up (--time)", nodes="n[1-2]"),
        ),
        ({"JobState": "NODE_FAIL", "ExitCode": "0:1"}, Status(state=State.FAILED, reason="a node died", nodes="n[1-2]")),
    ],
)
def test_states_are_told_in_our_words(fields: dict[str, str], expected: Status) -> None:
    assert status(changed(**fields)) == expected


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs, first on PATH."""
    monkeypatch.setenv(
        "PATH", programs(tmp_path / "bin", scontrol="echo 'slurm_load_jobs error: Invalid job id specified'; exit 1")
    )
    return tmp_path / "bin"


def test_a_job_that_slurm_has_forgotten_is_told_by_its_own_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "exit-code-3").write_text("7\n")
    (tmp_path / "output-3.log").write_text("hello\n")
    answer = Slurm(LocalShell()).ask("3", str(tmp_path))
    assert answer.status == Status(state=State.FAILED, reason="it ended with exit code 7", exit_code=7)
    assert answer.output == b"hello\n"
    assert Slurm(LocalShell()).ask("3", str(tmp_path), 2).output == b"llo\n"


def test_a_forgotten_job_that_left_nothing_is_unknown(path: Path, tmp_path: Path) -> None:
    assert Slurm(LocalShell()).ask("3", str(tmp_path)).status.state is State.UNKNOWN


def test_a_proof_that_failed_counts_though_another_node_was_ended_first(path: Path, tmp_path: Path) -> None:
    (tmp_path / "exit-code-3").write_text("143\n")
    (tmp_path / "output-3.log").write_text("wsb: proof failed: no container (on n1)\nsrun: error: n2: task 1: Terminated\n")
    found = Slurm(LocalShell()).ask("3", str(tmp_path)).status
    assert found == Status(state=State.FAILED, reason="proof failed: no container (on n1)", exit_code=97)


@pytest.mark.parametrize(
    ("sbatch", "code", "hint"),
    [
        ("echo 'sbatch: error: invalid partition specified: fast' >&2; exit 1", "cluster-refused", "sinfo -s"),
        ("echo 'sbatch: error: Invalid generic resource (gres) specification' >&2; exit 1", "cluster-refused", "no node has"),
        ("echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1", "cluster-unreachable", ""),
        ("echo 'sh: 1: sbatch: not found' >&2; exit 127", "tool-missing", "--host LOGIN-NODE"),
    ],
)
def test_refusals_come_with_a_next_step(path: Path, tmp_path: Path, sbatch: str, code: str, hint: str) -> None:
    programs(path, sbatch=sbatch)
    with pytest.raises(WsbError) as caught:
        Slurm(LocalShell()).submit(str(tmp_path / "job"), "#!/bin/sh\n")
    assert caught.value.code == code
    assert hint in " ".join(caught.value.hints)


def test_a_script_is_for_its_owners_eyes(path: Path, tmp_path: Path) -> None:
    programs(path, sbatch="echo '17;cluster'")
    assert Slurm(LocalShell()).submit(str(tmp_path / "job"), "#!/bin/sh\n") == "17"
    assert (tmp_path / "job" / "job.sh").stat().st_mode & 0o077 == 0


# --- ssh ---

# runs what the real one would run on the other side, behind a greeting as login shells have it
SSH = """
while [ "$1" != login ]; do shift; done; shift
echo "Welcome to the cluster"
sh -c "$*"
"""


def test_a_login_node_is_spoken_to_over_ssh(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(path, ssh=SSH, sbatch="cat job.sh > seen; echo 17")
    # as clusters do it: only a login shell finds Slurm
    (tmp_path / ".bash_profile").write_text(f"echo loading modules\nPATH={path}:$PATH\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    shell = SshShell("login")
    hard = 'it\'s $HOME `x` "y" \\ *'
    assert shell.run('printf "%s|" "$@"; cat', hard, "", stdin=[b"in", b"put"]).text == f"{hard}||input"
    assert Slurm(shell).submit(str(tmp_path / "a b"), "#!/bin/sh\n") == "17"
    assert (tmp_path / "a b" / "seen").read_text() == "#!/bin/sh\n"
    assert shell.run("exit 3").code == 3


def test_a_login_node_that_cannot_be_reached_is_an_error_of_its_own(path: Path) -> None:
    programs(path, ssh="echo 'ssh: connect to host login port 22: Connection refused' >&2; exit 255")
    with pytest.raises(WsbError) as caught:
        SshShell("login").run("true")
    assert caught.value.code == "cluster-unreachable"
    assert "Connection refused" in caught.value.details[0]


# --- records ---


def test_jobs_are_remembered_newest_first(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    for number in (1, 2):
        remember(environ, Record(id=str(number), on="slurm", name="digits", submitted=f"2026-01-0{number}"))
    remember(environ, Record(id="job/research/x", on="kubernetes", name="x", place="lab", submitted="2026-01-03"))
    (tmp_path / "wsb" / "jobs" / "broken.json").write_text("{")
    assert [one.id for one in all_records(environ)] == ["job/research/x", "2", "1"]
    assert find(environ, "").id == "job/research/x"
    assert find(environ, "1").name == "digits"
    with pytest.raises(WsbError, match="no job 9 was submitted") as caught:
        find(environ, "9")
    assert "job/research/x, 2, 1" in caught.value.hints[0]


def test_torchrun_is_not_started_twice() -> None:
    with pytest.raises(WsbError, match="must not begin with torchrun") as caught:
        Job(name="x", command=("torchrun", "train.py"))
    assert "--launcher none" in caught.value.hints[1]


# --- the proof as a report ---

PROVED = """\
wsb: n1: the image is right, 2 GPUs given
wsb: n2: the image is right, 2 GPUs given
"""
MOCK = "wsb: all_reduce over 4 ranks gave 6, which is right; 2 GPUs given on each node, and this torch is a CPU build, so x\n"
REAL = "wsb: all_reduce over 4 ranks gave 6, which is right; each rank computed on its GPU (NVIDIA H100)\n"


@pytest.mark.parametrize(
    ("output", "status", "device", "verdicts"),
    [
        (PROVED + REAL, Status(state=State.DONE, exit_code=0), "NVIDIA H100", "pass pass pass pass"),
        (PROVED + MOCK, Status(state=State.DONE, exit_code=0), "mock", "pass pass pass skip"),
        (PROVED, Status(state=State.FAILED, exit_code=97, reason="r"), "none", "pass pass fail skip"),
        ("", Status(state=State.CANCELLED), "none", "fail fail fail skip"),
        (PROVED + REAL, Status(state=State.FAILED, exit_code=1, reason="r"), "NVIDIA H100", "pass pass pass pass fail"),
    ],
)
def test_only_a_real_device_may_say_that_a_gpu_works(output: str, status: Status, device: str, verdicts: str) -> None:
    made = report("sha256:1", job(command=()), status, output)
    assert made.device == device
    assert " ".join(check.status.value for check in made.checks) == verdicts
    assert all(check.hint for check in made.checks if check.status is not Verdict.PASS)


# --- doctor ---

GOOD = {
    "version": "slurm-wlm 22.05.8",
    "ping": "Slurmctld(primary) at login is UP",
    "nodes": "gpu*|2|idle|gpu:8|1-00:00:00\ncpu|10|mixed|(null)|infinite",
    "oci": "\n".join(f'RunTime{name}="nvidia-container-runtime x"' for name in ("Run", "Kill", "Delete", "Query")),
    "folder": "/home/ada/.local/share/wsb",
    "writable": "yes",
    "kind": "nfs",
    "room": "server:/home 1000000000 1 900000000 10% /home",
}


def examined(**answers: str) -> list[tuple[str, Severity]]:
    findings = doctor.examine(doctor.Facts(where="login", answers={**GOOD, **answers}))
    assert all(finding.remedy for finding in findings if finding.severity is not Severity.INFO)
    return [(finding.id, finding.severity) for finding in findings if finding.severity is not Severity.INFO]


def test_doctor_has_nothing_to_say_of_a_slurm_that_is_ready() -> None:
    assert examined() == []


@pytest.mark.parametrize(
    ("answers", "id", "severity"),
    [
        ({"version": "sh: sbatch: not found"}, "no-slurm", Severity.ERROR),
        ({"ping": "Slurmctld(primary) at login is DOWN"}, "slurm-down", Severity.ERROR),
        ({"version": "slurm 20.11.4"}, "slurm-old", Severity.WARNING),
        ({"oci": ""}, "no-oci-conf", Severity.WARNING),
        ({"oci": GOOD["oci"].replace("nvidia-container-runtime", "runc")}, "no-nvidia-runtime", Severity.WARNING),
        ({"oci": 'RunTimeRun="runc run"'}, "oci-conf-broken", Severity.ERROR),
        ({"srun": "--container-image=[USER@]..."}, "no-mksquashfs", Severity.WARNING),
        ({"writable": "mkdir: cannot create directory: Permission denied"}, "not-writable", Severity.ERROR),
        ({"kind": "ext2/ext3"}, "maybe-local", Severity.WARNING),
        ({"room": "server:/home 1000000000 1 1000000 99% /home"}, "little-room", Severity.WARNING),
        ({"nodes": "cpu*|10|idle|(null)|infinite"}, "no-gpu", Severity.WARNING),
        ({"nodes": "gpu*|2|down*|gpu:8|infinite"}, "gpus-down", Severity.ERROR),
    ],
)
def test_doctor_names_what_is_missing(answers: dict[str, str], id: str, severity: Severity) -> None:
    assert examined(**answers) == [(id, severity)]


def test_doctor_asks_a_machine_without_slurm(tmp_path: Path) -> None:
    facts = doctor.look(LocalShell(), str(tmp_path / "shared"))
    assert facts["folder"] == str(tmp_path / "shared")
    assert facts["writable"] == "yes"
    assert facts["kind"]
