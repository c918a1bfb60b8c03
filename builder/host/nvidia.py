"""The NVIDIA driver and GPUs of this machine, through NVML. Every failure is "unknown, because …" or "known to have none"."""

from __future__ import annotations

import ctypes
from typing import Any

from builder.model.host import Gpu
from builder.model.values import ComputeCapability, DriverVersion, Unknown


def probe() -> tuple[DriverVersion | Unknown | None, tuple[Gpu, ...] | Unknown]:
    """(driver, gpus). None and () where NVML is not installed: then there is no driver."""
    if not _has_library():  # asked first: importing pynvml costs more than the whole plan of a machine without a GPU
        return None, ()
    try:
        import pynvml
    except ImportError as error:
        return Unknown(f"nvidia-ml-py cannot be imported: {error}"), Unknown("nvidia-ml-py cannot be imported")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        return None, ()
    except pynvml.NVMLError_DriverNotLoaded:
        return None, ()
    except pynvml.NVMLError as error:
        because = f"NVML does not start: {error}"
        return Unknown(because), Unknown(because)
    try:
        return _driver(pynvml), _gpus(pynvml)
    finally:
        pynvml.nvmlShutdown()


def _has_library() -> bool:
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def _driver(nvml: Any) -> DriverVersion | Unknown:
    try:
        return DriverVersion.parse(_text(nvml.nvmlSystemGetDriverVersion()))
    except (nvml.NVMLError, ValueError) as error:
        return Unknown(f"NVML does not tell the driver's version: {error}")


def _gpus(nvml: Any) -> tuple[Gpu, ...] | Unknown:
    gpus = []
    try:
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
            gpus.append(
                Gpu(
                    name=_text(nvml.nvmlDeviceGetName(handle)),
                    compute_capability=ComputeCapability(major, minor),
                    memory_mib=nvml.nvmlDeviceGetMemoryInfo(handle).total // 2**20,
                    uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
                )
            )
    except nvml.NVMLError as error:
        return Unknown(f"NVML does not tell the GPUs: {error}")
    return tuple(gpus)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
