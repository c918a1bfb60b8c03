"""The plan as the JSON document of `wsb plan --json`, and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from builder.model.plan import Plan, TorchPlan

SCHEMA = "wsb.plan/1"


def plan_json(plan: Plan) -> dict[str, Any]:
    """The document: versions are strings, a key without meaning is left out."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": plan.name,
        "platform": plan.platform,
        "manager": plan.manager.value,
        "python": plan.python,
        "torch": _torch(plan.torch) if plan.torch else None,
        "base": _without_none({"image": plan.base.image, "flavour": plan.base.flavour.value, "bootstrap": plan.base.bootstrap}),
        "installer": _installer(plan),
        "packages": _packages(plan),
        "channels": list(plan.channels) or None,
        "editable": list(plan.editable) or None,
        "sources": _sources(plan) or None,
        "user": {"name": plan.user.name, "uid": plan.user.uid},
        "run": _run(plan),
        "ide": [ide.value for ide in plan.ide] or None,
        "passthrough": plan.passthrough.value,
        "decisions": [
            {
                "field": decision.field,
                "value": decision.value,
                "because": decision.because,
                "rejected": [{"value": one.value, "because": one.because} for one in decision.rejected],
            }
            for decision in plan.decisions
        ],
        "warnings": [{"code": warned.code, "message": warned.message} for warned in plan.warnings],
        "fallbacks": [
            {"source": one.source, "wanted": one.wanted, "taken": one.taken, "because": one.because} for one in plan.fallbacks
        ]
        or None,
        "digest": plan.digest,
    }
    return _without_none(document)


def digest(plan: Plan) -> str:
    """sha256 over what changes the image: not over reasons, how it is started, or where its parts are fetched from."""
    text = json.dumps(asked(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def asked(plan: Plan) -> dict[str, Any]:
    """What the digest covers, key by key."""
    torch = plan.torch
    return {
        "name": plan.name,
        "platform": plan.platform,
        "manager": plan.manager.value,
        "python": plan.python,
        "torch": None
        if torch is None
        else [torch.local, torch.torchvision, torch.torchaudio, sorted(torch.install_companions)],
        "base": [plan.base.image, plan.base.flavour.value, plan.base.bootstrap],
        "installer": [plan.installer.kind, plan.installer.version, plan.installer.sha256] if plan.installer else None,
        "packages": _packages(plan),
        "channels": list(plan.channels),
        "editable": sorted(plan.editable),
        "user": [plan.user.name, plan.user.uid],
        "ide": sorted(ide.value for ide in plan.ide),
    }


def _torch(torch: TorchPlan) -> dict[str, Any]:
    """index_url is where the build lies; find_links says that this address is a page of links and not an index."""
    return _without_none(
        {
            "version": torch.version,
            "variant": str(torch.variant),
            "local": torch.local,
            "index_url": torch.index_url or torch.find_links,
            "find_links": torch.find_links,
            "wheel": torch.wheel,
            "torchvision": torch.torchvision,
            "torchaudio": torch.torchaudio,
            "install_companions": list(torch.install_companions) or None,
        }
    )


def _packages(plan: Plan) -> dict[str, Any]:
    packages = plan.packages
    always = {"conda": list(packages.conda), "pip": list(packages.pip), "apt": list(packages.apt)}
    more = {"constraints": list(packages.constraints), "no_build_isolation": list(packages.no_build_isolation)}
    return {**always, **{key: value for key, value in more.items() if value}}


def _installer(plan: Plan) -> dict[str, Any] | None:
    if plan.installer is None:
        return None
    one = plan.installer
    return {"kind": one.kind, "version": one.version, "url": one.url, "sha256": one.sha256}


def _sources(plan: Plan) -> dict[str, Any]:
    """Addresses only: a path of this machine tells nobody else anything."""
    sources = plan.sources
    single = {
        key: value
        for key in ("registry", "apt", "conda", "miniconda", "pip", "torch")
        if (value := getattr(sources, key)) is not None and "://" in value
    }
    several = {key: [one for one in getattr(sources, key) if "://" in one] for key in ("extra_pip", "find_links")}
    return {**single, **{key: value for key, value in several.items() if value}}


def _run(plan: Plan) -> dict[str, Any]:
    run = plan.run
    return _without_none(
        {
            "shm_size": run.shm_size,
            "ports": list(run.ports) or None,
            "mounts": list(run.mounts) or None,
            "env": dict(sorted(run.env)) or None,
        }
    )


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}
