"""What an image is expected to be: decided from the plan alone, and handed to the probes as one JSON document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from builder.model.frozen import frozen

GpuMode = Literal["none", "auto", "required"]

PROBES = "/opt/wsb/probes/run.py"
PLAN = "/opt/wsb/plan.json"

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@frozen
class GpuExpectation:
    """What was asked of the engine. count: how many whole GPUs, None for "whatever there is". way: such as cdi.

    uuids: of the GPUs that were asked for, where the host told them.
    """

    mode: GpuMode
    count: int | None = None
    uuids: tuple[str, ...] = ()
    way: str = ""


def expectations(
    document: Mapping[str, Any],
    uid: int | None,
    gid: int | None,
    workspace: str | None,
    gpu: GpuExpectation | GpuMode,
    *,
    has_shm: bool = True,
) -> dict[str, Any]:
    """What the probes should find. A key that is absent is not known, and nothing is then held against it.

    document: the plan's JSON, as `wsb plan --json` prints it and the image carries it.
    uid, gid: of the container's user, None when the caller does not choose them.
    gpu: what was asked of the engine; a mode alone says nothing of how many or which.
    workspace: where in the container the project is mounted, None when it is not.
    has_shm: whether the container is started with the plan's shm_size; not so during a build.
    """
    if isinstance(gpu, str):
        gpu = GpuExpectation(mode=gpu)
    expected: dict[str, Any] = {
        "python": document["python"],
        "torch": _torch(document["torch"]) if "torch" in document else None,
        "gpu": _known(mode=gpu.mode, count=gpu.count, uuids=list(gpu.uuids) or None, way=gpu.way or None),
    }
    if document.get("digest"):
        expected["digest"] = document["digest"]
    if uid is not None or gid is not None:
        expected["user"] = _known(uid=uid, gid=gid)
    if workspace is not None:
        expected["workspace"] = _known(path=workspace, uid=uid)
    if has_shm:
        expected["shm_bytes"] = size_bytes(document["run"]["shm_size"])
    return expected


def _torch(torch: Mapping[str, Any]) -> dict[str, Any]:
    return _known(
        version=torch["version"],
        variant=torch["variant"],
        torchvision=torch.get("torchvision"),
        torchaudio=torch.get("torchaudio"),
        companions=list(torch.get("install_companions", ())),
    )


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def size_bytes(text: str) -> int:
    """The bytes that docker's spelling means: 8g, 512m, 64MB, 1.5g, 1073741824. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower(), re.ASCII)
    if not match:
        raise ValueError(f"{text!r} is not a size such as 8g or 512m")
    return int(float(match[1]) * _UNITS[match[2]])
