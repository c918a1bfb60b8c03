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
    "no-torch": ('name: five\ntorch: none\npython: "3.12"\nuser: {name: ada, uid: 1234}\n', NO_GPU),
}


def rendered(case: str) -> FileSet:
    text, host = CASES[case]
    return pipeline.render(resolve(read_spec(text, "wsb.yaml"), EMPTY_PROJECT, load(), host), inputs_digest="sha256:0")


@pytest.mark.parametrize("case", CASES)
def test_the_dockerfile_is_the_reviewed_one(case: str) -> None:
    text = rendered(case)["Dockerfile"].decode()
    golden = GOLDEN / f"{case}.Dockerfile"
    if os.environ.get("WSB_WRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("case", CASES)
def test_hadolint_has_nothing_to_say(case: str, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(rendered(case)["Dockerfile"])
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_rendering_twice_gives_the_same_bytes(case: str) -> None:
    assert rendered(case).digest == rendered(case).digest


@pytest.mark.parametrize("case", CASES)
def test_neither_name_nor_uid_comes_before_torch(case: str) -> None:
    from builder.render.dockerfile import shared_part

    shared = shared_part(rendered(case)["Dockerfile"].decode())
    name = read_spec(CASES[case][0], "wsb.yaml").name.value
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
