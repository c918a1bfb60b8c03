"""Whole sbatch scripts, reviewed like prose: one for each flavour. Only the first flavour is also run, on a real Slurm.

`make golden` writes them anew; read the diff. Each is one that bash and sbatch can read.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from builder import __version__
from builder.launch.slurm.script import Flavour, Placed, pyxis_reference, render
from tests.support.jobs import IMAGE, PULLED, job

GOLDEN = Path(__file__).parent / "slurm"
SHARED = "/shared/ada/wsb"
BUNDLE = f"{SHARED}/images/digits-4d4d4d4d4d4d-0a1b2c3d"
DIRECTORY = f"{SHARED}/jobs/digits-20260101-120000-ab12"

CASES = {
    "oci": (
        job(cpus=16, memory="64G"),
        IMAGE,
        Placed(flavour=Flavour.OCI, source=BUNDLE, directory=DIRECTORY, partition="gpu"),
    ),
    "pyxis-file": (
        job(),
        IMAGE,
        Placed(flavour=Flavour.PYXIS, source=f"{SHARED}/images/digits.sqsh", directory=DIRECTORY, account="vision"),
    ),
    "pyxis-registry": (
        job(),
        PULLED,
        Placed(
            flavour=Flavour.PYXIS,
            source=pyxis_reference("registry.example.org:5000/team/digits:1"),
            directory=DIRECTORY,
            extra=("--exclusive", "--constraint=h100"),
        ),
    ),
    "apptainer": (
        job(nodes=1, gpus=1, tasks=1, command=()),
        IMAGE,
        Placed(flavour=Flavour.APPTAINER, source=f"{SHARED}/images/digits-4d4d4d4d4d4d.sif", directory=DIRECTORY),
    ),
    "oci-without-torchrun": (
        job(gpus=0, tasks=0, command=("sh", "prepare.sh"), env={}, time=""),
        IMAGE,
        Placed(flavour=Flavour.OCI, source=BUNDLE, directory=DIRECTORY),
    ),
}


def text_of(case: str) -> str:
    return render(*CASES[case]).replace(f"wsb {__version__}", "wsb VERSION")


@pytest.mark.parametrize("case", CASES)
def test_the_script_is_the_reviewed_one(case: str) -> None:
    golden = GOLDEN / f"{case}.sh"
    if os.environ.get("WSB_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text_of(case))
    assert text_of(case) == golden.read_text()


@pytest.mark.parametrize("case", CASES)
def test_bash_reads_the_script(case: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text_of(case), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_every_directive_comes_before_the_first_command(case: str) -> None:
    """sbatch stops reading its lines at the first command."""
    lines = text_of(case).splitlines()
    directives = [number for number, line in enumerate(lines) if line.startswith("#SBATCH")]
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert directives
    assert max(directives) < first


def run_as_script(text: str, folder: Path, srun: str) -> subprocess.CompletedProcess[str]:
    """Run a rendered script with programs that stand for Slurm's."""
    programs = {"scontrol": "echo n1; echo n2", "srun": srun}
    (folder / "bin").mkdir()
    for name, body in programs.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / "bin" / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "SLURM_JOB_ID": "17"}
    env |= {"SLURM_JOB_NODELIST": "n[1-2]", "SLURM_JOB_NUM_NODES": "2"}
    return subprocess.run(["bash", "-s"], input=text, capture_output=True, text=True, check=False, env=env)


def test_words_reach_the_command_as_they_were_typed(tmp_path: Path) -> None:
    hard = ("python", "train.py", "it's", 'a "b"', "$HOME", "`date`", "*", "a\\nb", "")
    env = {"A": "it's $HOME", "B": "two\nlines"}
    text = render(job(command=hard, env=env), IMAGE, Placed(flavour=Flavour.OCI, source="/b", directory=str(tmp_path)))
    ran = run_as_script(text, tmp_path, 'printf "%s\\n" "$A" "$B"; for word; do printf "<%s>\\n" "$word"; done')
    words = [line for line in ran.stdout.splitlines() if line.startswith("<")]
    assert words[words.index("<-->") + 1 :] == [f"<{word}>" for word in hard]
    assert ran.stdout.startswith("it's $HOME\ntwo\nlines\n")
    assert "<n1:20017>" in words


def test_the_first_node_that_failed_gives_the_exit_code(tmp_path: Path) -> None:
    text = render(job(), IMAGE, Placed(flavour=Flavour.OCI, source="/b", directory=str(tmp_path)))
    ran = run_as_script(text, tmp_path, f"echo 7 > {tmp_path}/failed-17; exit 143")
    assert ran.returncode == 7
    assert (tmp_path / "exit-code-17").read_text() == "7\n"


def test_sruns_own_exit_code_counts_where_no_node_said_anything(tmp_path: Path) -> None:
    text = render(job(), IMAGE, Placed(flavour=Flavour.OCI, source="/b", directory=str(tmp_path)))
    assert run_as_script(text, tmp_path, "exit 3").returncode == 3


@pytest.mark.parametrize(
    ("reference", "as_enroot_reads_it"),
    [
        ("registry.example.org:5000/team/digits:1", "registry.example.org:5000#team/digits:1"),
        ("localhost/digits", "localhost#digits"),
        ("team/digits:1", "team/digits:1"),
        ("digits:1", "digits:1"),
    ],
)
def test_a_registrys_host_ends_with_a_hash_for_enroot(reference: str, as_enroot_reads_it: str) -> None:
    assert pyxis_reference(reference) == as_enroot_reads_it
