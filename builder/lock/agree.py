"""Whether a lock still answers wsb.yaml: what it was asked then, what is asked now, and where the two part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from builder.errors import WsbError
from builder.lock.text import FILE
from builder.model.lock import LockedPlatform
from builder.model.plan import Plan
from builder.model.spec import AcceleratorRequest, BaseRequest, Spec, TorchRequest
from builder.model.values import Located, Location, Manager, Variant, VersionRequest
from builder.render.ide_tools import ide_packages
from builder.render.layers import apt_packages, os_packages
from builder.resolve.document import asked

# What follows from other choices is told only where those agree.
_FOLLOWS = ("os", "apt", "ide")

_WHERE = Location(file=FILE)


def asked_of(plan: Plan) -> dict[str, Any]:
    """All that decides what is installed: what the plan's digest covers, and the distribution's packages it leads to."""
    content = {**asked(plan), "os": list(os_packages(plan)), "apt": list(apt_packages(plan)), "ide": list(ide_packages(plan))}
    plain = json.loads(json.dumps(content))  # tuples become lists, as a lock read from its file has them
    assert isinstance(plain, dict)
    return plain


def pinned(spec: Spec, locked: LockedPlatform) -> Spec:
    """The spec with what it left open decided as the lock has it; what it does not leave open stays as written.

    So a lock made beside a GPU also holds where there is none, and where the tables know newer versions by now.
    """
    content = locked.asked
    torch, base = content.get("torch"), content.get("base") or [None, None, None]
    changes: dict[str, Any] = {}
    if torch:
        version, _, name = torch[0].partition("+")
        variant = Variant.parse(name)
        if spec.torch is None or _leaves_open(spec.torch.value.version):
            changes["torch"] = Located(TorchRequest(version=VersionRequest.parse(version), variant=variant), _WHERE)
        if spec.accelerator is None or spec.accelerator.value.variant is None:
            changes["accelerator"] = Located(_accelerator(spec, variant), _WHERE)
    if spec.python is None or _leaves_open(spec.python.value):
        changes["python"] = Located(VersionRequest.parse(content["python"]), _WHERE)
    if spec.manager is None:
        changes["manager"] = Located(Manager(content["manager"]), _WHERE)
    if spec.base is None or spec.base.value.kind == "auto":
        image, _, suite = base
        request = BaseRequest(kind="bootstrap", value=suite) if suite else BaseRequest(kind="image", value=image)
        changes["base"] = Located(request, _WHERE)
    return replace(spec, **changes)


def _leaves_open(request: VersionRequest | None) -> bool:
    return request is not None and not request.is_pinned


def _accelerator(spec: Spec, variant: Variant) -> AcceleratorRequest:
    """The lock's build where it is of the kind that was asked for; else what was asked for."""
    kind = "cuda" if variant.cuda else "rocm" if variant.is_rocm else variant.name
    asked_for = spec.accelerator.value if spec.accelerator else None
    if asked_for is not None and asked_for.kind not in ("auto", kind):
        return asked_for
    return AcceleratorRequest(kind=kind, variant=variant)  # type: ignore[arg-type]  # one of the four


def disagreements(plan: Plan, locked: LockedPlatform) -> tuple[str, ...]:
    """One sentence for each thing wsb.yaml asks for and the lock was not made for; empty when they agree."""
    now, then = asked_of(plan), locked.asked
    found: list[str] = []
    for key in sorted({*now, *then}):
        if now.get(key) == then.get(key) or key in _FOLLOWS:
            continue
        if key == "packages":
            found += _package_differences(now[key], then.get(key) or {})
        else:
            found.append(f"{key}: now {_shown(now.get(key))}, locked {_shown(then.get(key))}")
    for key in _FOLLOWS:
        if not found and now.get(key) != then.get(key):
            found.append(f"{key} packages: {_set_difference(now.get(key) or [], then.get(key) or [])}")
    return tuple(found)


def _package_differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    return [
        f"packages.{key}: {_set_difference(now.get(key) or [], then.get(key) or [])}"
        for key in sorted({*now, *then})
        if now.get(key) != then.get(key)
    ]


def _set_difference(now: list[str], then: list[str]) -> str:
    more, less = [one for one in now if one not in then], [one for one in then if one not in now]
    told = [f"asked for and not locked: {', '.join(more)}"] if more else []
    told += [f"locked and no longer asked for: {', '.join(less)}"] if less else []
    return "; ".join(told) or "the same in another order"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value if one not in (None, [], "")) or "none"
    return "none" if value is None else str(value)


def outdated(differences: tuple[str, ...]) -> WsbError:
    """The refusal of a locked build."""
    return WsbError(
        "lock-outdated",
        f"wsb.yaml and {FILE} disagree",
        where=_WHERE,
        details=differences,
        hints=["`wsb lock` solves what changed and keeps the rest; without `--locked` the build solves by itself"],
    )


def missing(platform: str, others: tuple[str, ...]) -> WsbError:
    """There is no lock for this platform."""
    has = f"it has {', '.join(others)}" if others else "there is none"
    return WsbError(
        "no-such-file", f"no {FILE} for {platform}: {has}", where=_WHERE, hints=["`wsb lock` makes it; then commit it"]
    )
