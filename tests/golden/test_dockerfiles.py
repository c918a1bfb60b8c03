"""Whole Dockerfiles, reviewed like prose: one for each manager, and the layers that only some projects have.

`make golden` writes them anew; read the diff. Every one must please hadolint as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder import pipeline
from builder.catalog import load
from builder.config import read_spec
from builder.model.files import FileSet
from builder.model.host import Gpu, Host
from builder.model.lock import LockedBase, LockedConda, LockedDeb, LockedPart, LockedPip, LockedPlatform
from builder.model.plan import Plan
from builder.model.project import EMPTY_PROJECT
from builder.model.values import ComputeCapability, DriverVersion
from builder.resolve import resolve

GOLDEN = Path(__file__).parent / "dockerfiles"
NO_GPU = Host(os="linux", arch="x86_64", driver=None, gpus=())
RTX_3090 = Host(
    os="linux",
    arch="x86_64",
    driver=DriverVersion.parse("550.54.15"),
    gpus=(Gpu(name="NVIDIA GeForce RTX 3090", compute_capability=ComputeCapability(8, 6), memory_mib=24576),),
)

CASES = {
    "miniconda-cpu": (
        'name: one\ntorch: "2.6"\npython: "3.11"\npackages: {conda: [zlib], pip: [einops], apt: [libgl1]}\n',
        NO_GPU,
    ),
    "miniforge-cuda": ('name: two\ntorch: "2.6"\npython: "3.12"\nmanager: miniforge\nide: [vscode]\n', RTX_3090),
    "micromamba-cpu": ('name: three\ntorch: "2.7"\npython: "3.10"\nmanager: micromamba\nide: []\n', NO_GPU),
    "venv-bootstrap": (
        "name: four\ntorch: latest\nmanager: venv\nbase: {bootstrap: bookworm}\npackages: {pip: [tqdm]}\n",
        NO_GPU,
    ),
    "too-old-for-uv": ('name: eight\ntorch: "1.4"\npython: "3.7"\npackages: {pip: [einops]}\n', NO_GPU),
    "no-torch": ('name: five\ntorch: none\npython: "3.12"\nuser: {name: ada, uid: 1234}\n', NO_GPU),
}

# The same image from a lock: nothing is solved, every step ends by taking away what tells when it ran.
LOCKED_CASES = {
    "locked-venv": ("name: six\ntorch: '2.6'\nmanager: venv\npackages: {pip: [tqdm], apt: [libgl1]}\n", NO_GPU),
    "locked-conda": ("name: seven\ntorch: '2.6'\npackages: {conda: [zlib]}\nide: []\n", NO_GPU),
}


def rendered(case: str) -> FileSet:
    text, host = {**CASES, **LOCKED_CASES}[case]
    plan = resolve(read_spec(text, "wsb.yaml"), EMPTY_PROJECT, load(), host)
    return pipeline.render(plan, inputs_digest="sha256:0", locked=_locked(plan) if case in LOCKED_CASES else None)


def _locked(plan: Plan) -> LockedPlatform:
    """A lock of this plan, with one package of each kind that it has."""
    pip = (LockedPip(name="tqdm", version="4.67.1", hashes=("b" * 64,)),) if plan.packages.pip else ()
    conda = (LockedConda(url="https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-h_2.conda", sha256="d" * 64),)
    deb = LockedDeb(
        name="libgl1", version="1.6.0-1", arch="amd64", sha256="a" * 64, url="http://deb.debian.org/debian/pool/x.deb"
    )
    return LockedPlatform(
        platform=plan.platform,
        plan=plan.digest,
        asked={},
        date="20261125T194400Z",
        base=LockedBase(image=plan.base.image, digest="sha256:" + "5" * 64, layers=("sha256:" + "1" * 64,)),
        workspace=LockedPart(apt=(deb,) if plan.packages.apt else (), conda=conda if plan.packages.conda else (), pip=pip),
    )


@pytest.mark.parametrize("case", [*CASES, *LOCKED_CASES])
def test_the_dockerfile_is_the_reviewed_one(case: str) -> None:
    text = rendered(case)["Dockerfile"].decode()
    golden = GOLDEN / f"{case}.Dockerfile"
    if os.environ.get("WSB_WRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("case", [*CASES, *LOCKED_CASES])
def test_hadolint_has_nothing_to_say(case: str, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(rendered(case)["Dockerfile"])
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("case", [*CASES, *LOCKED_CASES])
def test_rendering_twice_gives_the_same_bytes(case: str) -> None:
    assert rendered(case).digest == rendered(case).digest


@pytest.mark.parametrize("case", [*CASES, *LOCKED_CASES])
def test_neither_name_nor_uid_comes_before_torch(case: str) -> None:
    from builder.render.dockerfile import shared_part

    shared = shared_part(rendered(case)["Dockerfile"].decode())
    name = read_spec({**CASES, **LOCKED_CASES}[case][0], "wsb.yaml").name.value
    assert f"/{name}" not in shared
    assert "WSB_UID" not in shared


def test_two_projects_with_the_same_choice_have_the_same_text_up_to_torch() -> None:
    from builder.render.dockerfile import shared_part

    def shared(text: str) -> str:
        plan = resolve(read_spec(text, "wsb.yaml"), EMPTY_PROJECT, load(), NO_GPU)
        return shared_part(pipeline.render(plan)["Dockerfile"].decode())

    one = 'name: one\ntorch: "2.6.0"\npython: "3.11"\npackages: {pip: [einops], apt: [libgl1]}\n'
    other = 'name: other\ntorch: "2.6.0"\npython: "3.11"\nuser: {name: ada, uid: 1234}\nide: [pycharm]\n'
    assert shared(one) == shared(other)
