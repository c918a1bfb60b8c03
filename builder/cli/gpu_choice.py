"""`--gpus`: which GPUs a container of a built workspace gets, and in which way. Shared by run, shell and test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

if TYPE_CHECKING:
    from builder.engine.base import Engine, EngineInfo
    from builder.launch.container import Gpus
    from builder.model.host import Host
    from builder.ui.console import Console

F = TypeVar("F", bound=Callable[..., Any])
Need = Literal["planned", "auto", "required"]


def gpus_option(command: F) -> F:
    """--gpus, handed to the command as gpus: None when it was not given."""
    return click.option(
        "--gpus",
        metavar="WHICH",
        help="all, none, 0,2 or UUIDs, MIG-… or 1:0 for slices, free:2 for idle ones, or a CDI name.",
    )(command)


def gpus_for(
    console: Console, engine: Engine, info: EngineInfo, document: Mapping[str, Any], asked: str | None, need: Need = "planned"
) -> Gpus:
    """The GPUs of one container. Says which, where wsb chose them. Raises WsbError bad-value, no-such-gpu, gpu-busy.

    need: planned hands in what the plan's torch can use; auto only where a GPU is seen; required in any case, since the
    question is then whether it arrives.
    """
    from builder.launch.container import NO_GPUS, Gpus
    from builder.launch.devices import accelerator_of, handed_in
    from builder.launch.gpus import ALL, GpuRequest, choose_gpus, parse_gpus
    from builder.resolve.passthrough import choose_passthrough
    from builder.surroundings import host_of

    accelerator = accelerator_of(document)
    request = parse_gpus(asked) if asked is not None else ALL
    if request.kind == "none" or (asked is None and need != "required" and accelerator == "cpu"):
        return NO_GPUS
    host = host_of(engine, info)
    if asked is None and need == "auto" and not _is_any_seen(host, info):
        return NO_GPUS
    if asked is None and need == "required" and (others := _other_kinds(info)):
        request = GpuRequest(kind="cdi", names=others)
    if accelerator == "cpu":  # asked for all the same: handed in, so that it can be seen whether it arrives
        accelerator = "rocm" if info.cdi_names("amd.com/gpu") and not info.cdi_names("nvidia.com/gpu") else "cuda"
    handing = choose_passthrough(accelerator, replace(host, engine=info))
    for warned in handing.warnings:
        console.warn(warned.message)
    chosen = choose_gpus(request, host)
    if chosen.said:
        console.line(f"GPUs {chosen.said}")
    return Gpus(handed=handed_in(handing.mode, chosen, info, host), chosen=chosen)


def _is_any_seen(host: Host, info: EngineInfo) -> bool:
    """Whether host or engine tell of a GPU; what is unknown is tried."""
    return bool(host.gpus) or bool(info.cdi_devices) or "nvidia" in info.runtimes


def _other_kinds(info: EngineInfo) -> tuple[str, ...]:
    """The GPUs of another maker than NVIDIA and AMD, where the engine's CDI specs know only such."""
    kinds = {name.partition("=")[0] for name in info.cdi_devices}
    if "nvidia" in info.runtimes or not kinds.isdisjoint(("nvidia.com/gpu", "amd.com/gpu")):
        return ()
    found = []
    for kind in sorted(kind for kind in kinds if kind.endswith("/gpu")):
        names = info.cdi_names(kind)
        found += [f"{kind}={name}" for name in (("all",) if "all" in names else names)]
    return tuple(found)
