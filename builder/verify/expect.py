"""What an image is expected to be: decided from the Plan alone, and handed to the probes as one JSON document."""

from __future__ import annotations

import re
from typing import Any, Literal

from builder.model.plan import Plan, TorchPlan

GpuMode = Literal["none", "auto", "required"]

PROBES = "/opt/wsb/probes/run.py"
PLAN = "/opt/wsb/plan.json"

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def expectations(
    plan: Plan,
    uid: int | None,
    gid: int | None,
    workspace: str | None,
    gpu_mode: GpuMode,
    *,
    gpu_count: int | None = None,
    has_shm: bool = True,
) -> dict[str, Any]:
    """What the probes should find. A key that is absent is not known, and nothing is then held against it.

    uid, gid: of the container's user, None when the caller does not choose them.
    workspace: where in the container the project is mounted, None when it is not.
    gpu_count: how many devices were asked for, None for "whatever there is".
    has_shm: whether the container is started with the plan's shm_size; not so during a build.
    """
    expected: dict[str, Any] = {
        "python": plan.python,
        "torch": None if plan.torch is None else _torch(plan.torch),
        "gpu": _known(mode=gpu_mode, count=gpu_count if gpu_mode == "required" else None),
    }
    if plan.digest:
        expected["digest"] = plan.digest
    if uid is not None or gid is not None:
        expected["user"] = _known(uid=uid, gid=gid)
    if workspace is not None:
        expected["workspace"] = _known(path=workspace, uid=uid)
    if has_shm:
        expected["shm_bytes"] = size_bytes(plan.run.shm_size)
    return expected


def _torch(torch: TorchPlan) -> dict[str, Any]:
    return _known(
        version=torch.version,
        variant=str(torch.variant),
        torchvision=torch.torchvision,
        torchaudio=torch.torchaudio,
        companions=list(torch.install_companions),
    )


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def size_bytes(text: str) -> int:
    """The bytes that docker's spelling means: 8g, 512m, 64MB, 1.5g, 1073741824. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower(), re.ASCII)
    if not match:
        raise ValueError(f"{text!r} is not a size such as 8g or 512m")
    return int(float(match[1]) * _UNITS[match[2]])
