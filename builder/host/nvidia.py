"""The NVIDIA driver and GPUs of this machine, through NVML. Every failure is "unknown, because …" or "known to have none".

A value that the driver does not tell (no ECC on this card, no counters under WSL) is None; a GPU that the driver counts and
cannot talk to is told apart from one that is not there.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from builder.model.frozen import frozen
from builder.model.host import Gpu, GpuState, MigInstance, NvmlAnswer
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion, Unknown

T = TypeVar("T")

# WSL's lies where the loader does not look by itself
_LIBRARIES: Final = ("libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1")
_ANSWERS: Final[dict[str, NvmlAnswer]] = {
    "NVMLError_LibraryNotFound": "absent",
    "NVMLError_DriverNotLoaded": "driver-not-loaded",
    "NVMLError_LibRmVersionMismatch": "mismatch",
    "NVMLError_NoPermission": "no-permission",
}
_COMPUTE_MODES: Final = {0: "default", 1: "exclusive", 2: "prohibited", 3: "exclusive"}


@frozen
class Nvidia:
    """What NVML tells. answer: how it started; said: its own words when it did not.

    lost: one sentence for each GPU that is counted and does not answer.
    """

    answer: NvmlAnswer
    said: str = ""
    driver: DriverVersion | Unknown | None = None
    cuda: CudaVersion | None = None
    gpus: tuple[Gpu, ...] | Unknown = ()
    lost: tuple[str, ...] = ()


def probe(limit_s: float = 20.0) -> Nvidia:
    """All of it. The driver is None and gpus are () where NVML is not installed: then there is no driver to speak to.

    limit_s: a driver whose GPU hangs may never answer; then all is unknown, because of that.
    """
    if not _has_library():  # asked first: importing pynvml costs more than the whole plan of a machine without a GPU
        return Nvidia(answer="absent")
    answers: list[Nvidia] = []
    asking = threading.Thread(target=lambda: answers.append(_ask()), name="wsb-nvml", daemon=True)
    asking.start()
    asking.join(limit_s)
    if answers:
        return answers[0]
    because = Unknown(f"NVML did not answer within {limit_s:g} s; dmesg may say why (Xid)")
    return Nvidia(answer="other", said=because.because, driver=because, gpus=because)


def _ask() -> Nvidia:
    try:
        import pynvml
    except ImportError as error:
        because = Unknown(f"nvidia-ml-py cannot be imported: {error}")
        return Nvidia(answer="other", said=str(error), driver=because, gpus=because)
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return _not_started(error)
    try:
        gpus, lost = _gpus(pynvml)
        return Nvidia(answer="works", driver=_driver(pynvml), cuda=_cuda(pynvml), gpus=gpus, lost=lost)
    finally:
        pynvml.nvmlShutdown()


def _not_started(error: Exception) -> Nvidia:
    answer = _ANSWERS.get(type(error).__name__, "other")
    if answer in ("absent", "driver-not-loaded"):
        return Nvidia(answer=answer, said=str(error))
    because = Unknown(f"NVML does not start: {error}")
    return Nvidia(answer=answer, said=str(error), driver=because, gpus=because)


def _has_library() -> bool:
    """Loads it as well: pynvml then finds the one that is loaded, by its own name for it."""
    for name in _LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def _driver(nvml: Any) -> DriverVersion | Unknown:
    try:
        return DriverVersion.parse(_text(nvml.nvmlSystemGetDriverVersion()))
    except (nvml.NVMLError, ValueError) as error:
        return Unknown(f"NVML does not tell the driver's version: {error}")


def _cuda(nvml: Any) -> CudaVersion | None:
    number = _told(nvml, nvml.nvmlSystemGetCudaDriverVersion)
    return CudaVersion(number // 1000, number % 1000 // 10) if number else None


def _gpus(nvml: Any) -> tuple[tuple[Gpu, ...] | Unknown, tuple[str, ...]]:
    """(the GPUs that answer, a sentence for each that does not)."""
    try:
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        return Unknown(f"NVML does not count the GPUs: {error}"), ()
    gpus, lost = [], []
    for index in range(count):
        try:
            gpus.append(_gpu(nvml, index))
        except nvml.NVMLError as error:
            lost.append(f"GPU {index} does not answer: {error}")
    return tuple(gpus), tuple(lost)


def _gpu(nvml: Any, index: int) -> Gpu:
    """One that answers; what no card leaves out may raise, the rest is None where it is not told."""
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    capability = _told(nvml, nvml.nvmlDeviceGetCudaComputeCapability, handle)
    memory = _told(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    return Gpu(
        name=_text(nvml.nvmlDeviceGetName(handle)),
        compute_capability=ComputeCapability(*capability) if capability else None,
        memory_mib=memory.total // 2**20 if memory else None,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        index=index,
        state=_state(nvml, handle, memory),
    )


def _state(nvml: Any, handle: Any, memory: Any) -> GpuState:
    pci = _told(nvml, nvml.nvmlDeviceGetPciInfo, handle)
    busy = _told(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
    running = _told(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, handle)
    mig = _told(nvml, nvml.nvmlDeviceGetMigMode, handle)
    ecc = _told(nvml, nvml.nvmlDeviceGetEccMode, handle)
    persistence = _told(nvml, nvml.nvmlDeviceGetPersistenceMode, handle)
    mode = _told(nvml, nvml.nvmlDeviceGetComputeMode, handle)
    return GpuState(
        pci=_text(pci.busId) if pci else None,
        memory_used_mib=memory.used // 2**20 if memory else None,
        busy_percent=busy.gpu if busy else None,
        processes=len(running) if running is not None else None,
        is_mig_on=bool(mig[0]) if mig is not None else None,
        mig=_mig(nvml, handle) if mig and mig[0] else (),
        is_ecc_on=bool(ecc[0]) if ecc is not None else None,
        ecc_errors=_told(
            nvml,
            nvml.nvmlDeviceGetTotalEccErrors,
            handle,
            nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
            nvml.NVML_VOLATILE_ECC,
        ),
        is_persistent=bool(persistence) if persistence is not None else None,
        nvlinks=_nvlinks(nvml, handle),
        compute_mode=_COMPUTE_MODES.get(mode) if mode is not None else None,  # type: ignore[arg-type]
    )


def _mig(nvml: Any, handle: Any) -> tuple[MigInstance, ...]:
    found = []
    for index in range(_told(nvml, nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        part = _told(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, index)
        if part is None:  # places that no instance fills
            continue
        memory = _told(nvml, nvml.nvmlDeviceGetMemoryInfo, part)
        found.append(
            MigInstance(
                index=index,
                uuid=_text(nvml.nvmlDeviceGetUUID(part)),
                name=_text(_told(nvml, nvml.nvmlDeviceGetName, part) or ""),
                memory_mib=memory.total // 2**20 if memory else None,
            )
        )
    return tuple(found)


def _nvlinks(nvml: Any, handle: Any) -> int | None:
    """Links that are up; None for a card that has none to tell of."""
    states = [_told(nvml, nvml.nvmlDeviceGetNvLinkState, handle, link) for link in range(nvml.NVML_NVLINK_MAX_LINKS)]
    told = [state for state in states if state is not None]
    return sum(told) if told else None


def _told(nvml: Any, ask: Callable[..., T], *words: Any) -> T | None:
    """The answer, None where this card or driver has none. A GPU that is lost raises: that is not a missing value."""
    try:
        return ask(*words)
    except (nvml.NVMLError_GpuIsLost, nvml.NVMLError_ResetRequired):
        raise
    except nvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
