"""A job, an image and the facts around them, for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from builder.engine.base import ImageInfo
from builder.launch.job import Image, Job
from builder.launch.kubernetes.objects import Kind, Placed
from builder.launch.kubernetes.spelling import Claim
from builder.launch.oci import Bind

ID = "sha256:" + "4d" * 32
PLAN = "sha256:" + "ab" * 32
PYTHON = "/opt/conda/envs/digits/bin/python"

IMAGE = Image(id=ID, plan=PLAN, python=PYTHON)
PULLED = Image(plan=PLAN, python=PYTHON)

INFO = ImageInfo(
    id=ID,
    tags=("digits:latest",),
    labels={},
    env=("PATH=/opt/conda/envs/digits/bin:/usr/bin:/bin", "LANG=C.UTF-8"),
    size_bytes=1,
    layers=(),
    created="2026-01-01T00:00:00Z",
    platform="linux/amd64",
    user="dev",
    workdir="/workspace",
    entrypoint=("/opt/wsb/bin/entry",),
    command=("bash",),
)


def job(**more: Any) -> Job:
    """Two nodes with two GPUs each that train; what is given is changed."""
    usual: dict[str, Any] = {
        "name": "digits",
        "command": ("python", "train.py", "--note", "it's new"),
        "nodes": 2,
        "gpus": 2,
        "tasks": 2,
        "time": "2:00:00",
        "env": {"LR": "0.1 x"},
        "binds": (
            Bind(source="/home/ada/digits", target="/workspace"),
            Bind(source="/data", target="/data", is_read_only=True),
        ),
    }
    return Job(**{**usual, **more})


def placed(kind: Kind = Kind.JOB, **more: Any) -> Placed:
    """The job in a namespace, with everything that can be said of it."""
    usual: dict[str, Any] = {
        "name": "digits-abc123",
        "namespace": "research",
        "reference": "registry.example.org/digits:1",
        "project": b"a project",
        "claims": (Claim(name="data", target="/data", is_read_only=True),),
        "pull_secret": "registry",
        "node_selector": {"gpu": "h100"},
        "queue": "",
    }
    return Placed(kind=kind, **{**usual, **more})
