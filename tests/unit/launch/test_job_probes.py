"""The first process of a job's container, run here as programs: what it proves, what it hands on, what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.polling import eventually

PROBES = Path(__file__).parents[3] / "builder" / "verify" / "probes"
ID = "sha256:1234"
PLAN = "sha256:abcd"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What lies at /opt/wsb in an exported image."""
    folder = tmp_path / "wsb"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "entry").write_text('#!/bin/sh\nexec "$@"\n')
    (folder / "bin" / "entry").chmod(0o755)
    env = [f"PATH={os.environ['PATH']}", "FROM_IMAGE=yes"]
    (folder / "image.json").write_text(json.dumps({"id": ID, "env": env, "home": "/home/dev"}))
    (folder / "plan.json").write_text(json.dumps({"digest": PLAN}))
    return folder


def command(root: Path, *words: str) -> list[str]:
    start = f"import sys; sys.path.insert(0, {str(PROBES)!r}); import job; sys.exit(job.main(sys.argv[1:], {str(root)!r}))"
    return [sys.executable, "-I", "-c", start, *words]


def run(root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command(root, *words), capture_output=True, text=True, check=False, env=env)


def test_the_command_gets_the_images_variables_and_the_jobs(root: Path) -> None:
    outside = {
        "PYTHONPATH": "/login/node",
        "LD_LIBRARY_PATH": "/login/lib",
        "HOME": "/home/ada",
        "SLURM_JOB_ID": "17",
        "CUDA_VISIBLE_DEVICES": "0,1",
        "NCCL_DEBUG": "INFO",
        "LR": "0.1",
        "OTHER": "x",
    }
    ran = run(root, "--image", ID, "--gpus", "2", "--keep", "LR", "--", "env", **outside)
    found = dict(line.partition("=")[::2] for line in ran.stdout.splitlines() if "=" in line)
    assert ran.returncode == 0, ran.stderr
    assert found["FROM_IMAGE"] == "yes"
    assert found["HOME"] == "/home/dev"
    assert {key: found[key] for key in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", "NCCL_DEBUG", "LR")} == {
        key: outside[key] for key in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", "NCCL_DEBUG", "LR")
    }
    assert not {"PYTHONPATH", "LD_LIBRARY_PATH", "OTHER"} & set(found)
    assert found["PYTHONNOUSERSITE"] == "1"


def test_where_nodes_pull_the_image_its_variables_are_there_already(root: Path) -> None:
    ran = run(root, "--plan", PLAN, "--", "sh", "-c", "echo $SET_BY_KUBERNETES", SET_BY_KUBERNETES="kept")
    assert ran.stdout.endswith("kept\n")


@pytest.mark.parametrize(
    ("words", "environment", "reason"),
    [
        (("--image", "sha256:other"), {}, f"this is {ID}, and the job was submitted with sha256:other"),
        (("--plan", "sha256:other"), {}, f"the image here was made from plan {PLAN}, and"),
        (("--gpus", "2"), {"CUDA_VISIBLE_DEVICES": "0"}, "2 GPUs were asked for, and 1 are given here"),
        (("--gpus", "1"), {"CUDA_VISIBLE_DEVICES": "0,1"}, "1 GPUs were asked for, and 2 are given here"),
        (("--gpus", "1"), {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, "1 GPUs were asked for, and 0 are given here"),
    ],
)
def test_a_proof_that_fails_is_the_end_and_says_why(
    root: Path, words: tuple[str, ...], environment: dict[str, str], reason: str
) -> None:
    failed = root / "failed"
    ran = run(root, *words, "--failed", str(failed), "--", "echo", "started", **environment)
    assert ran.returncode == 97
    assert f"wsb: proof failed: {reason}" in ran.stdout
    assert "started" not in ran.stdout
    assert failed.read_text() == "97\n"


def test_another_image_without_a_mark_is_told(root: Path) -> None:
    (root / "image.json").unlink()
    assert "an image without a mark of wsb" in run(root, "--image", ID, "--", "true").stdout


def test_gpus_without_a_word_of_the_scheduler_need_their_devices(root: Path) -> None:
    if any(Path("/dev").glob("nvidia*")):
        pytest.skip("this machine has the devices that must be missing here")
    ran = run(root, "--gpus", "1", "--", "true")
    assert "neither CUDA_VISIBLE_DEVICES nor a device of NVIDIA or AMD is in this container" in ran.stdout


def test_the_commands_exit_code_is_left_behind_by_the_first_node_that_fails(root: Path) -> None:
    failed = root / "failed"
    assert run(root, "--failed", str(failed), "--", "sh", "-c", "exit 7").returncode == 7
    assert run(root, "--failed", str(failed), "--", "sh", "-c", "exit 9").returncode == 9
    assert failed.read_text() == "7\n"
    assert run(root, "--", "no-such-program").returncode == 127


def test_a_project_is_unpacked_where_the_command_starts(root: Path, tmp_path: Path) -> None:
    from builder.launch import project

    source, target = tmp_path / "source", tmp_path / "workspace"
    (source / "deep").mkdir(parents=True)
    (source / ".git").mkdir()
    (source / "deep" / "file.txt").write_text("hello\n")
    (source / "deep" / "again.txt").symlink_to("file.txt")
    target.mkdir()
    packed = tmp_path / "project.tgz"
    packed.write_bytes(project.packed(source))
    assert project.packed(source) == packed.read_bytes()
    words = ["--project", str(packed), "--workspace", str(target), "--workdir", str(target / "deep")]
    assert run(root, *words, "--", "cat", "again.txt").stdout.endswith("hello\n")
    assert sorted(path.name for path in target.iterdir()) == ["deep"]


def test_a_signal_is_passed_on_and_the_command_may_end_as_it_likes(root: Path) -> None:
    script = "trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    failed = root / "failed"
    with subprocess.Popen(
        command(root, "--failed", str(failed), "--", "sh", "-c", script), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        assert any(line == "ready\n" for line in lines)
        process.send_signal(signal.SIGTERM)
        assert list(lines) == ["told\n"]
        assert process.wait() == 3
    # it was told to end: another node is the reason, and says so itself
    assert not failed.exists()


def test_nobody_is_left_behind(root: Path, tmp_path: Path) -> None:
    """Neither a child in another session nor one that ignores being asked outlives the first process."""
    pids = tmp_path / "pids"
    stubborn = f"trap '' TERM; echo $$ > {pids}; while :; do sleep 1; done"
    script = f'setsid sh -c "{stubborn.replace("$", chr(92) + "$")}" & while [ ! -s {pids} ]; do :; done'
    assert run(root, "--", "sh", "-c", script).returncode == 0
    assert not Path(f"/proc/{pids.read_text().strip()}").exists()


def test_the_grace_ends_for_a_command_that_ignores_signals(tmp_path: Path) -> None:
    start = (
        f"import sys; sys.path.insert(0, {str(PROBES)!r}); import job_init, os;"
        "print(job_init.run(['sh', '-c', \"trap '' TERM; echo ready; while :; do sleep 1; done\"], dict(os.environ), 0.3))"
    )
    with subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "(137, True)\n"
        eventually(lambda: process.poll() == 0, "the first process ends")


def test_cores_are_shared_by_the_processes_of_a_node() -> None:
    sys.path.insert(0, str(PROBES))
    try:
        import job  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(PROBES))
    variables: dict[str, str] = {}
    job.threads(variables, 1)
    assert variables == {"OMP_NUM_THREADS": str(len(os.sched_getaffinity(0)))}
    variables = {"OMP_NUM_THREADS": "5"}
    job.threads(variables, 4)
    assert variables == {"OMP_NUM_THREADS": "5"}
