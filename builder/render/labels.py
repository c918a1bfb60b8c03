"""What an image says of itself in labels; DESIGN section 8 fixes the names."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from builder.model.plan import Plan
from builder.render.names import interpreter


def labels(
    plan: Plan, *, version: str, inputs_digest: str, metadata: Mapping[str, Any], lock_digest: str = ""
) -> dict[str, str]:
    """Label → value, for the finished workspace.

    inputs_digest: over wsb.yaml and what it led to, so that `wsb run` can tell an image that is behind them.
    metadata: devcontainer/metadata.json. lock_digest: of what was installed exactly, "" without a lock.
    """
    return {
        "dev.wsb.plan.digest": plan.digest,
        "dev.wsb.torch": plan.torch.local if plan.torch else "none",
        "dev.wsb.python": plan.python,
        "dev.wsb.manager": plan.manager.value,
        "dev.wsb.env": plan.name,
        "dev.wsb.base": plan.base.image,
        "dev.wsb.fallbacks": json.dumps([f"{step.source}: {step.wanted} -> {step.taken}" for step in plan.fallbacks]),
        "dev.wsb.inputs": inputs_digest,
        **({"dev.wsb.lock": lock_digest} if lock_digest else {}),
        "dev.wsb.version": version,
        "org.opencontainers.image.title": plan.name,
        "org.opencontainers.image.description": _description(plan),
        "org.opencontainers.image.base.name": plan.base.image,
        "devcontainer.metadata": json.dumps(devcontainer_metadata(plan, metadata), separators=(",", ":"), sort_keys=True),
    }


def _description(plan: Plan) -> str:
    torch = f"PyTorch {plan.torch.local}" if plan.torch else "no PyTorch"
    return f"{plan.name}: Python {plan.python}, {torch}, made with {plan.manager.value} by wsb"


def devcontainer_metadata(plan: Plan, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an IDE needs to open the bare image well; how the GPU is reached cannot live in a label."""
    merged = copy.deepcopy(dict(metadata))
    merged["remoteUser"] = plan.user.name
    merged["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"] = interpreter(plan)
    return [merged]
