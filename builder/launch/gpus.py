"""Which GPUs a container gets: what `--gpus` says, held against what the host has.

`all`, `none`, indexes and UUIDs (`0,2`, `GPU-…`, `MIG-…`, `1:0` for a slice), `free:2` for idle ones, or a CDI name such as
`vendor.com/gpu=0`, which goes to the engine as it stands.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.host import Gpu, Host
from builder.model.values import Unknown

_INDEX: Final = re.compile(r"\d+(?::\d+)?", re.ASCII)
_UUID: Final = re.compile(r"(?:GPU|MIG)-[0-9A-Za-z/-]+", re.ASCII)
_FREE: Final = re.compile(r"free(?::(\d+))?", re.ASCII)
_CDI: Final = re.compile(r"[a-z0-9][a-z0-9.-]*/[A-Za-z0-9_-]+=[\w.:-]+", re.ASCII)
_SPELLINGS: Final = "all, none, indexes and UUIDs such as 0,2 or GPU-…, slices such as MIG-… or 1:0, free:2, or a CDI name"

IDLE_MEMORY_SHARE: Final = 0.1  # a driver keeps some hundred MiB of a large card for itself
IDLE_BUSY_PERCENT: Final = 5


@frozen
class GpuRequest:
    """What was asked for. kind: some has names, free a count, cdi fully qualified names."""

    kind: Literal["all", "none", "some", "free", "cdi"]
    names: tuple[str, ...] = ()
    count: int = 0


@frozen
class ChosenGpus:
    """What the engine is asked for. names: () means all that there are.

    count: how many whole GPUs must arrive; None when that is not known. uuids: of those, where the host told them.
    said: which were taken and why, for a choice that wsb made; "" when the user made it.
    """

    names: tuple[str, ...] = ()
    cdi: tuple[str, ...] = ()
    count: int | None = None
    uuids: tuple[str, ...] = ()
    said: str = ""


ALL: Final = GpuRequest(kind="all")
NONE: Final = GpuRequest(kind="none")


def parse_gpus(text: str) -> GpuRequest:
    """From the command line. Raises WsbError bad-value."""
    plain = text.strip().strip("\"'").removeprefix("device=")
    if plain.lower() in ("all", "none"):
        return ALL if plain.lower() == "all" else NONE
    if free := _FREE.fullmatch(plain):
        count = int(free[1] or 1)
        if count:
            return GpuRequest(kind="free", count=count)
    names = tuple(dict.fromkeys(part.strip() for part in plain.split(",")))
    if all(_INDEX.fullmatch(name) or _UUID.fullmatch(name) for name in names):
        return GpuRequest(kind="some", names=names)
    if all(_CDI.fullmatch(name) for name in names):
        return GpuRequest(kind="cdi", names=names)
    raise WsbError("bad-value", f"--gpus {text!r} is not understood", hints=[f"there are: {_SPELLINGS}"])


def choose_gpus(request: GpuRequest, host: Host) -> ChosenGpus:
    """The GPUs of this request on the host whose engine is asked. Raises WsbError no-such-gpu or gpu-busy.

    Names on a host that does not tell its GPUs are handed on as they are; the engine knows whether they exist.
    """
    gpus = () if isinstance(host.gpus, Unknown) else tuple(gpu for gpu in host.gpus if gpu.index is not None)
    if request.kind == "cdi":
        return ChosenGpus(cdi=request.names)
    if request.kind == "all":
        # no count: a card that does not answer is none of these, and its device file is there all the same
        uuids = tuple(gpu.uuid for gpu in gpus if gpu.uuid)
        return ChosenGpus(uuids=uuids if len(uuids) == len(gpus) else ())
    if request.kind == "free":
        return _free(request.count, gpus, host)
    if not gpus:
        return ChosenGpus(names=request.names)
    found = {name: _named(name, gpus) for name in request.names}
    missing = [name for name, gpu in found.items() if gpu is None]
    if missing:
        raise WsbError("no-such-gpu", f"this host has no GPU {', '.join(missing)}", hints=[f"there are: {_listed(gpus)}"])
    whole = [gpu for name, gpu in found.items() if gpu is not None and _is_whole(name, gpu)]
    has_slices = len(whole) != len(found)
    return ChosenGpus(
        names=request.names,
        count=None if has_slices else len({gpu.index for gpu in whole}),
        uuids=() if has_slices else tuple(gpu.uuid for gpu in whole if gpu.uuid),
    )


def _named(name: str, gpus: tuple[Gpu, ...]) -> Gpu | None:
    """The GPU of this name, or the one that has the slice of this name."""
    index, _, part = name.partition(":")
    for gpu in gpus:
        slices = gpu.state.mig if gpu.state else ()
        if name == gpu.uuid or (not part and index == str(gpu.index)):
            return gpu
        if any(name == one.uuid or (index == str(gpu.index) and part == str(one.index)) for one in slices):
            return gpu
    return None


def _is_whole(name: str, gpu: Gpu) -> bool:
    return name in (gpu.uuid, str(gpu.index))


def _free(count: int, gpus: tuple[Gpu, ...], host: Host) -> ChosenGpus:
    """The idle ones with the least memory in use; all of them must be told of by the driver."""
    if not gpus:
        why = str(host.gpus) if isinstance(host.gpus, Unknown) else "none is told of here"
        raise WsbError("no-such-gpu", f"which GPUs are idle cannot be seen: {why}", hints=["name them: `--gpus 0`"])
    busy = {gpu.index: why for gpu in gpus if (why := _why_busy(gpu))}
    idle = sorted((gpu for gpu in gpus if gpu.index not in busy), key=lambda gpu: (_used(gpu), gpu.index))
    if len(idle) < count:
        hints = [f"GPU {index}: {why}" for index, why in busy.items()]
        raise WsbError("gpu-busy", f"{len(idle)} of {len(gpus)} GPUs are idle, {count} were asked for", hints=hints)
    taken = sorted(idle[:count], key=lambda gpu: gpu.index or 0)
    said = f"idle, and taken: {_listed(tuple(taken))}"
    if busy:
        said += "; not taken: " + ", ".join(f"GPU {index} ({why})" for index, why in busy.items())
    return ChosenGpus(
        names=tuple(str(gpu.index) for gpu in taken),
        count=len(taken),
        uuids=tuple(gpu.uuid for gpu in taken if gpu.uuid),
        said=said,
    )


def _why_busy(gpu: Gpu) -> str:
    """ "" for one that is idle. What the driver does not tell counts as busy: nobody's work is to be disturbed."""
    state = gpu.state
    if state is None:
        return "the driver does not tell what it is doing"
    if state.is_mig_on:
        return "cut into slices: name one, such as MIG-…"
    if state.compute_mode == "prohibited":
        return "closed for computing"
    if state.processes:
        return f"{state.processes} {'program computes' if state.processes == 1 else 'programs compute'} on it"
    if state.busy_percent is not None and state.busy_percent > IDLE_BUSY_PERCENT:
        return f"{state.busy_percent}% busy"
    if state.memory_used_mib is None or gpu.memory_mib is None:
        return "the driver does not tell how much of its memory is used"
    if state.memory_used_mib > IDLE_MEMORY_SHARE * gpu.memory_mib:
        return f"{state.memory_used_mib} of {gpu.memory_mib} MiB in use"
    return ""


def _used(gpu: Gpu) -> int:
    return gpu.state.memory_used_mib or 0 if gpu.state else 0


def _listed(gpus: tuple[Gpu, ...]) -> str:
    """Such as "0 (NVIDIA A100, slices 0:0, 0:1), 1 (NVIDIA A100)"."""
    texts = []
    for gpu in gpus:
        slices = [f"{gpu.index}:{one.index}" for one in (gpu.state.mig if gpu.state else ())]
        texts.append(f"{gpu.index} ({gpu.name}{', slices ' + ', '.join(slices) if slices else ''})")
    return ", ".join(texts)
