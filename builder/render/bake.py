"""Many workspaces → one bake file, in which those with the same torch stage stand on one target."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from builder.model.files import FileSet
from builder.model.frozen import frozen
from builder.model.plan import Plan
from builder.render.dockerfile import shared_part
from builder.render.files import torch_stage_files
from builder.render.names import image_tag

_NAME = "wsb-shared"


@frozen
class Baked:
    """One workspace. directory: where its rendered files lie, as bake is to find it."""

    plan: Plan
    files: FileSet
    directory: str


def bake_document(workspaces: Iterable[Baked], *, registry: str = "") -> dict[str, Any]:
    """The bake file, for `docker buildx bake --file`. registry: tags lie there, "" for the engine's own."""
    targets: dict[str, Any] = {}
    names = []
    for one in sorted(workspaces, key=lambda one: one.plan.name):
        target: dict[str, Any] = {
            "context": one.directory,
            "dockerfile": "Dockerfile",
            "tags": [f"{registry.rstrip('/')}/{image_tag(one.plan)}" if registry else image_tag(one.plan)],
            "platforms": [one.plan.platform],
        }
        if one.plan.torch:
            shared = _shared_name(one)
            base = {"context": one.directory, "dockerfile": "Dockerfile", "target": "torch", "platforms": [one.plan.platform]}
            targets.setdefault(shared, {**base, "output": ["type=cacheonly"]})
            # a named context takes the place of the image of this name in the second FROM
            target |= {"contexts": {_NAME: f"target:{shared}"}, "args": {"WSB_TORCH": _NAME}}
        targets[one.plan.name] = target
        names.append(one.plan.name)
    return {"group": {"default": {"targets": names}}, "target": dict(sorted(targets.items()))}


def _shared_name(one: Baked) -> str:
    """The same for all that have the same torch stage."""
    assert one.plan.torch is not None
    dockerfile = one.files["Dockerfile"].decode("utf-8")
    stage = torch_stage_files(one.files, dockerfile).digest + shared_part(dockerfile) + one.plan.platform
    version = one.plan.torch.local.replace(".", "-").replace("+", "-")
    return f"torch-{version}-{hashlib.sha256(stage.encode()).hexdigest()[:8]}"
