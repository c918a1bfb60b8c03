"""What an image says of itself in labels; DESIGN section 8 fixes the names."""

from __future__ import annotations

import json
from typing import Any

from builder.model.plan import Plan
from builder.render.names import interpreter


def labels(plan: Plan, version: str) -> dict[str, str]:
    """Label → value, for the finished workspace."""
    return {
        "dev.wsb.plan.digest": plan.digest,
        "dev.wsb.torch": plan.torch.local if plan.torch else "none",
        "dev.wsb.python": plan.python,
        "dev.wsb.manager": plan.manager.value,
        "dev.wsb.env": plan.name,
        "dev.wsb.base": plan.base.image,
        "dev.wsb.fallbacks": json.dumps([f"{step.source}: {step.wanted} -> {step.taken}" for step in plan.fallbacks]),
        "dev.wsb.version": version,
        "org.opencontainers.image.title": plan.name,
        "org.opencontainers.image.description": _description(plan),
        "org.opencontainers.image.base.name": plan.base.image,
        "devcontainer.metadata": json.dumps(devcontainer_metadata(plan), separators=(",", ":")),
    }


def _description(plan: Plan) -> str:
    torch = f"PyTorch {plan.torch.local}" if plan.torch else "no PyTorch"
    return f"{plan.name}: Python {plan.python}, {torch}, made with {plan.manager.value} by wsb"


def devcontainer_metadata(plan: Plan) -> list[dict[str, Any]]:
    """What an IDE needs to open the bare image well; how the GPU is reached cannot live in a label."""
    settings = {"python.defaultInterpreterPath": interpreter(plan), "python.terminal.activateEnvironment": False}
    return [
        {
            "remoteUser": plan.user.name,
            "updateRemoteUserUID": True,
            "userEnvProbe": "none",
            "init": True,
            "customizations": {"vscode": {"extensions": ["ms-python.python"], "settings": settings}},
        }
    ]
