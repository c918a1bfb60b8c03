"""What an image says of itself in labels; DESIGN section 8 fixes the names."""

from __future__ import annotations

import json

from builder.model.plan import Plan
from builder.render.devcontainer import Parts, devcontainer_metadata


def labels(plan: Plan, *, version: str, inputs_digest: str, devcontainer: Parts, lock_digest: str = "") -> dict[str, str]:
    """Label → value, for the finished workspace.

    inputs_digest: over wsb.yaml and what it led to, so that `wsb run` can tell an image that is behind them.
    devcontainer: the parts of devcontainer/. lock_digest: of what was installed exactly, "" without a lock.
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
        "devcontainer.metadata": json.dumps(devcontainer_metadata(plan, devcontainer), separators=(",", ":"), sort_keys=True),
    }


def _description(plan: Plan) -> str:
    torch = f"PyTorch {plan.torch.local}" if plan.torch else "no PyTorch"
    return f"{plan.name}: Python {plan.python}, {torch}, made with {plan.manager.value} by wsb"
