"""The chosen way and the chosen GPUs in the engine's own words: device requests, device files, groups, variables, runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from builder.errors import WsbError
from builder.launch.gpus import ChosenGpus
from builder.model.engine import EngineInfo
from builder.model.frozen import frozen
from builder.model.host import Host
from builder.model.values import Passthrough, Unknown
from builder.resolve.passthrough import AMD_CDI, NVIDIA_CDI, Accelerator

DeviceRequest = Mapping[str, Any]
_CAPABILITIES: Final = "compute,utility"


@frozen
class HandedIn:
    """What a ContainerRequest takes. mode: the way it is; none when there is nothing."""

    mode: Passthrough = Passthrough.NONE
    requests: tuple[DeviceRequest, ...] = ()
    devices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    runtime: str = ""


NOTHING: Final = HandedIn()


def accelerator_of(document: Mapping[str, Any]) -> Accelerator:
    """What the torch of a plan's JSON computes on; the processor where it has none."""
    variant = str((document.get("torch") or {}).get("variant", "cpu"))
    if variant.startswith("rocm"):
        return "rocm"
    return "cpu" if variant == "cpu" else "xpu" if variant == "xpu" else "cuda"


def handed_in(mode: Passthrough, chosen: ChosenGpus, engine: EngineInfo, host: Host) -> HandedIn:
    """What to ask the engine for. Raises WsbError no-such-gpu for a GPU that this way cannot name."""
    if chosen.cdi:
        return HandedIn(mode=Passthrough.CDI, requests=(_cdi(chosen.cdi),))
    if mode is Passthrough.GPUS:
        return HandedIn(mode=mode, requests=(_gpus(chosen.names),))
    if mode is Passthrough.CDI:
        return HandedIn(mode=mode, requests=(_cdi(_cdi_names(NVIDIA_CDI, chosen, engine, host)),))
    if mode is Passthrough.RUNTIME:
        visible = ",".join(chosen.names) or "all"
        env = (("NVIDIA_DRIVER_CAPABILITIES", _CAPABILITIES), ("NVIDIA_VISIBLE_DEVICES", visible))
        return HandedIn(mode=mode, env=env, runtime="nvidia")
    if mode is Passthrough.ROCM:
        return _rocm(chosen, engine, host)
    if mode is Passthrough.XPU:
        return _files(mode, ("/dev/dri",), host, (("ZE_AFFINITY_MASK", ",".join(chosen.names)),) if chosen.names else ())
    return NOTHING


def _gpus(names: tuple[str, ...]) -> DeviceRequest:
    """As `docker run --gpus` words it; a count and names at once is refused by the engine."""
    count = 0 if names else -1
    return {"Driver": "", "Count": count, "DeviceIDs": list(names), "Capabilities": [["gpu"]], "Options": {}}


def _cdi(names: tuple[str, ...]) -> DeviceRequest:
    return {"Driver": "cdi", "Count": 0, "DeviceIDs": list(names), "Capabilities": [], "Options": {}}


def _cdi_names(kind: str, chosen: ChosenGpus, engine: EngineInfo, host: Host) -> tuple[str, ...]:
    """Fully qualified names. Specs name devices by index, by UUID or both; WSL's knows only all of them together."""
    there = engine.cdi_names(kind)
    if not chosen.names:
        plain = [name for name in there if name != "all"]
        return tuple(f"{kind}={name}" for name in (["all"] if "all" in there or not plain else plain))
    wanted = []
    for name in chosen.names:
        known = next((spelling for spelling in (name, *_also_called(name, host)) if spelling in there), None)
        if known is None and there:
            raise WsbError(
                "no-such-gpu",
                f"the engine's CDI specs have no device {kind}={name}",
                hints=[f"there are: {', '.join(there)}", "after a change of cards or slices: nvidia-ctk cdi generate"],
            )
        wanted.append(known or name)
    return tuple(f"{kind}={name}" for name in wanted)


def _also_called(name: str, host: Host) -> tuple[str, ...]:
    """Index ↔ UUID, of a GPU or a slice."""
    for gpu in () if isinstance(host.gpus, Unknown) else host.gpus:
        if name in (str(gpu.index), gpu.uuid):
            return (str(gpu.index), gpu.uuid or "")
        for one in gpu.state.mig if gpu.state else ():
            if name in (f"{gpu.index}:{one.index}", one.uuid):
                return (f"{gpu.index}:{one.index}", one.uuid)
    return ()


def _rocm(chosen: ChosenGpus, engine: EngineInfo, host: Host) -> HandedIn:
    """AMD's CDI devices where the engine knows them; else the device files, with what is visible narrowed by a variable."""
    if engine.cdi_names(AMD_CDI):
        return HandedIn(mode=Passthrough.ROCM, requests=(_cdi(_cdi_names(AMD_CDI, chosen, engine, host)),))
    env = (("ROCR_VISIBLE_DEVICES", ",".join(chosen.names)),) if chosen.names else ()
    return _files(Passthrough.ROCM, ("/dev/kfd", "/dev/dri"), host, env)


def _files(mode: Passthrough, devices: tuple[str, ...], host: Host, env: tuple[tuple[str, str], ...]) -> HandedIn:
    """Device files, and the groups that may open them: by number, since a name that the image does not know is an error."""
    nodes = host.details.nodes if host.details else ()
    groups = sorted({gid for path, gid in nodes if gid and path.startswith(devices)})
    return HandedIn(mode=mode, devices=devices, groups=tuple(map(str, groups)), env=env)
