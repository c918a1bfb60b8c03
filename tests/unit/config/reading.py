"""What the tests of this folder share: reading a text, and the problems of one that is wrong."""

from __future__ import annotations

from builder.config import read_spec
from builder.errors import Problems, WsbError
from builder.model.spec import Spec

FULL = """\
name: mnist
python: "3.11"
torch: "2.6"
accelerator: auto
manager: miniconda
environment: environment.yml
requirements: [requirements.txt]
packages: {conda: [], pip: [einops], apt: [libgl1]}
channels: [conda-forge]
base: auto
sources: default
user: {name: dev, uid: 1000}
run: {shm_size: 8g, ports: [8888], mounts: ["./data:/data:ro"], env: {WANDB_MODE: offline}}
ide: [vscode, pycharm]
"""


def spec_of(text: str | bytes) -> Spec:
    return read_spec(text, "wsb.yaml")


def problems_of(text: str | bytes) -> list[WsbError]:
    """The problems of a text that has some."""
    try:
        spec = spec_of(text)
    except Problems as problems:
        return list(problems.errors)
    raise AssertionError(f"read without a problem: {spec}")


def problem_of(line: str) -> WsbError:
    """The one problem of a line below `name: x`."""
    found = problems_of(f"name: x\n{line}\n")
    assert len(found) == 1, [problem.message for problem in found]
    return found[0]


def told(problem: WsbError) -> str:
    """Everything it says, on one line."""
    return " | ".join([problem.code, str(problem.where), problem.message, *problem.hints, *problem.details])
