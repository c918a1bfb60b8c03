"""How a GPU is handed to a container: which of the engine's ways, and why not the others.

What engines do with each way is in the comments beside the rules; it was read in their sources and documentation
(Docker 19.03 to 29.7, Podman to 5.8, NVIDIA Container Toolkit 1.20).
"""

from __future__ import annotations

from typing import Final, Literal

from builder.model.engine import EngineInfo
from builder.model.frozen import frozen
from builder.model.host import Host
from builder.model.plan import Rejected, Warned
from builder.model.values import Passthrough, Unknown

Accelerator = Literal["cpu", "cuda", "rocm", "xpu"]

NVIDIA_CDI: Final = "nvidia.com/gpu"
AMD_CDI: Final = "amd.com/gpu"
_GENERATE: Final = "`nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml` writes it (and again after each driver update)"

_DESKTOP: Final = (
    "Docker Desktop on Linux hands no GPU to containers: use Docker Engine beside it, `docker context use default`"
)


@frozen
class Handing:
    """The chosen way, and what is to be said about it."""

    mode: Passthrough
    because: str
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[Warned, ...] = ()


def choose_passthrough(accelerator: Accelerator, host: Host) -> Handing:
    """The way for what torch was built for, on this host's engine; host.engine None or Unknown: nobody could ask it."""
    if accelerator == "cpu":
        return Handing(mode=Passthrough.NONE, because="this torch computes on the processor")
    if host.os == "macos":
        return Handing(
            mode=Passthrough.NONE, because="on a Mac containers run in a virtual machine, and no GPU is handed into it"
        )
    engine = host.engine if isinstance(host.engine, EngineInfo) else None
    if accelerator == "rocm":
        return _rocm(engine)
    if accelerator == "xpu":
        return Handing(mode=Passthrough.XPU, because="an Intel GPU is handed in as its device files, /dev/dri")
    return _nvidia(host, engine)


def _nvidia(host: Host, engine: EngineInfo | None) -> Handing:
    if engine is None:
        return _unasked(host)
    found = engine.cdi_names(NVIDIA_CDI)
    if engine.kind == "podman":
        return _podman(engine, found)
    if engine.is_desktop and host.os == "linux":
        return Handing(
            mode=Passthrough.NONE,
            because="Docker Desktop on Linux runs containers in a virtual machine, which gets no GPU",
            warnings=(_warned("desktop-has-no-gpu", _DESKTOP),),
        )
    if engine.is_desktop or (host.os == "windows" and not found):
        # it lists no nvidia runtime and no CDI device, and has the one way all the same
        return Handing(
            mode=Passthrough.GPUS,
            because=f"{_called(engine)} on Windows hands in WSL's one device for --gpus",
            rejected=(_no("cdi", "it tells of no CDI device"), _no("runtime", "it registers no nvidia runtime")),
        )
    if host.details is not None and host.details.flavour == "jetson" and "nvidia" in engine.runtimes:
        return Handing(
            mode=Passthrough.RUNTIME,
            because="a Jetson's GPU is part of the chip: the nvidia runtime mounts what its list names",
            rejected=(_no("gpus", "its hook looks for cards on the bus"),),
        )
    if found and engine.numbers >= (25,):
        return Handing(
            mode=Passthrough.CDI,
            because=f"{_called(engine)} knows {NVIDIA_CDI}={_some(found)}, and CDI is what every engine understands alike",
            rejected=(_no("gpus", "the older way: a hook, which no engine but Docker has"),),
        )
    return _by_hook(engine)


def _podman(engine: EngineInfo, found: tuple[str, ...]) -> Handing:
    # its Docker-compatible API takes --gpus and hands in nothing; driver "cdi" is honoured since 5.4
    warnings = []
    if not found:
        warnings.append(_warned("cdi-spec-missing", f"no CDI spec for {NVIDIA_CDI} was found for Podman: {_GENERATE}"))
    if engine.numbers and engine.numbers < (5, 4):
        old = f"Podman {engine.version} ignores devices asked for through its API; 5.4 is the first that hands them in"
        warnings.append(_warned("podman-too-old-for-gpu", old))
    return Handing(
        mode=Passthrough.CDI,
        because="Podman's API hands in CDI devices only",
        rejected=(_no("gpus", "Podman's API accepts it and hands in nothing"), _no("runtime", "Podman has no nvidia runtime")),
        warnings=tuple(warnings),
    )


def _by_hook(engine: EngineInfo) -> Handing:
    """Docker without a CDI device for the GPU: the toolkit's hook, if it is there."""
    no_cdi = _no("cdi", _why_no_cdi(engine))
    if "nvidia" not in engine.runtimes:
        missing = (
            f"{_called(engine)} tells of neither an nvidia runtime nor a CDI device: install the NVIDIA Container Toolkit "
            "where it runs and restart it, or a container that asks for the GPU will not start"
        )
        # not refused here: the hook alone, without a registered runtime, is enough for --gpus and is told nowhere
        return Handing(
            mode=Passthrough.GPUS,
            because="every Docker since 19.03 understands --gpus, if the toolkit's hook is there",
            rejected=(no_cdi, _no("runtime", "no nvidia runtime is registered")),
            warnings=(_warned("container-toolkit-missing", missing),),
        )
    warnings: tuple[Warned, ...] = ()
    if engine.is_rootless:
        told = (
            f"{_called(engine)} runs rootless: the toolkit's hook needs `nvidia-ctk config --set "
            f"nvidia-container-cli.no-cgroups --in-place`; a CDI spec needs nothing: {_GENERATE}"
        )
        warnings = (_warned("rootless-needs-no-cgroups", told),)
    return Handing(
        mode=Passthrough.GPUS,
        because=f"the NVIDIA Container Toolkit is registered with {_called(engine)}",
        rejected=(no_cdi, _no("runtime", "--gpus asks the same toolkit, and an engine without it says so")),
        warnings=warnings,
    )


def _why_no_cdi(engine: EngineInfo) -> str:
    if engine.numbers < (25,):
        return f"{_called(engine)} does not know CDI; 25 brought it"
    if not engine.cdi_spec_dirs and engine.numbers < (28, 2):
        return (
            f'CDI is switched off in {_called(engine)}: {{"features": {{"cdi": true}}}} in daemon.json, the default since 28.2'
        )
    return f"no CDI spec for {NVIDIA_CDI} was found: {_GENERATE}"


def _rocm(engine: EngineInfo | None) -> Handing:
    found = engine.cdi_names(AMD_CDI) if engine else ()
    if engine and found:
        return Handing(
            mode=Passthrough.ROCM,
            because=f"{_called(engine)} knows {AMD_CDI}={_some(found)}, AMD's own description of its GPUs",
        )
    return Handing(
        mode=Passthrough.ROCM,
        because="AMD's GPUs are handed in as their device files, /dev/kfd and /dev/dri, with the groups that may open them",
        rejected=(_no("cdi", f"no CDI spec for {AMD_CDI} was found; `amd-ctk cdi generate` writes it"),),
    )


def _unasked(host: Host) -> Handing:
    unasked = f"no engine has answered ({host.engine.because})" if isinstance(host.engine, Unknown) else "none was asked"
    return Handing(
        mode=Passthrough.GPUS,
        because=f"every Docker since 19.03 understands --gpus; {unasked}, and it is asked when a container starts",
    )


def _called(engine: EngineInfo) -> str:
    name = "Docker Desktop" if engine.is_desktop else engine.kind.capitalize()
    return f"{name} {engine.version}".strip()


def _some(names: tuple[str, ...]) -> str:
    return "all" if "all" in names else names[0]


def _no(value: str, because: str) -> Rejected:
    return Rejected(value=value, because=because)


def _warned(code: str, message: str) -> Warned:
    return Warned(code=code, message=message)
