"""What is expected follows from the Plan and from how the container is started, and from nothing else."""

from __future__ import annotations

import dataclasses
import json

import pytest

from builder.model.plan import BasePlan, PackagesPlan, Plan, RunPlan, SourcesPlan, TorchPlan, UserPlan
from builder.model.values import Manager, Passthrough, Variant
from builder.resolve import plan_json
from builder.verify.command import request_command
from builder.verify.expect import GpuExpectation, expectations, size_bytes

PLAN = Plan(
    name="mnist",
    platform="linux/amd64",
    manager=Manager.VENV,
    python="3.11",
    torch=TorchPlan(version="2.6.0", variant=Variant("cu126"), torchvision="0.21.0", install_companions=("torchvision",)),
    base=BasePlan(image="debian:bookworm-slim"),
    installer=None,
    packages=PackagesPlan(),
    channels=(),
    editable=(),
    sources=SourcesPlan(),
    user=UserPlan(),
    run=RunPlan(shm_size="2g"),
    ide=(),
    passthrough=Passthrough.NONE,
    decisions=(),
    warnings=(),
    digest="sha256:1",
)


def test_everything_the_plan_decides_is_expected():
    assert expectations(plan_json(PLAN), 1000, 100, "/workspace", GpuExpectation(mode="required", count=2)) == {
        "python": "3.11",
        "torch": {"version": "2.6.0", "variant": "cu126", "torchvision": "0.21.0", "companions": ["torchvision"]},
        "gpu": {"mode": "required", "count": 2},
        "digest": "sha256:1",
        "user": {"uid": 1000, "gid": 100},
        "workspace": {"path": "/workspace", "uid": 1000},
        "shm_bytes": 2 << 30,
    }


def test_what_nobody_decided_is_not_expected():
    plan = dataclasses.replace(PLAN, torch=None, digest="")
    assert expectations(plan_json(plan), None, None, None, "none", has_shm=False) == {
        "python": "3.11",
        "torch": None,
        "gpu": {"mode": "none"},
    }


def test_a_plan_without_torch_is_told_apart_from_an_unknown_one():
    assert "torch" in expectations(plan_json(dataclasses.replace(PLAN, torch=None)), None, None, None, "none")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8g", 8 << 30),
        ("512m", 512 << 20),
        ("64MB", 64 << 20),
        ("1.5g", 3 << 29),
        ("1GiB", 1 << 30),
        ("4096", 4096),
        ("16 k", 16384),
    ],
)
def test_sizes_are_read_as_docker_reads_them(text: str, size: int):
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "g", "8 apples", "-1g", "8gg", "８g"])
def test_what_is_not_a_size_is_refused(text: str):
    with pytest.raises(ValueError, match="not a size"):
        size_bytes(text)


def test_the_command_asks_what_was_asked_for():
    expected = expectations(plan_json(PLAN), 1000, 1000, "/workspace", "none")
    command = request_command(expected, quick=True, groups=["torch", "compute"], checks=["gpu.visible"], time_limit_scale=2.5)
    assert command[:4] == ("python", "/opt/wsb/probes/run.py", "--plan", "/opt/wsb/plan.json")
    assert json.loads(command[command.index("--expect") + 1]) == expected
    assert command[-7:] == ("--quick", "--group", "torch,compute", "--check", "gpu.visible", "--time-limit-scale", "2.5")
    assert len(request_command({})) == 6
