"""The machine that will run the image: facts, or why a fact is not known.

Host is what deciding needs and what a host file holds. HostDetails is what stands behind it, link by link, for doctor: the
bus, the kernel's driver, NVML, device files.
"""

from __future__ import annotations

import re
from typing import Literal

from builder.model.engine import EngineInfo
from builder.model.frozen import frozen
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion, Unknown

OperatingSystem = Literal["linux", "windows", "macos"]
Architecture = Literal["x86_64", "aarch64"]
Vendor = Literal["nvidia", "amd", "intel", "apple", "other"]


@frozen
class MigInstance:
    """One slice of a GPU. index: on its GPU; the slice is called <gpu>:<index> then. memory_mib: None when not told."""

    index: int
    uuid: str
    name: str = ""
    memory_mib: int | None = None


@frozen
class GpuState:
    """What only the machine itself tells of a GPU. None: the driver does not tell (many cards have no ECC, WSL no counters).

    processes: programs that compute on it now. busy_percent: of the last sampling period, as nvidia-smi shows it.
    ecc_errors: uncorrected ones since the driver was loaded. nvlinks: links that are up.
    """

    pci: str | None = None
    memory_used_mib: int | None = None
    busy_percent: int | None = None
    processes: int | None = None
    is_mig_on: bool | None = None
    mig: tuple[MigInstance, ...] = ()
    is_ecc_on: bool | None = None
    ecc_errors: int | None = None
    is_persistent: bool | None = None
    nvlinks: int | None = None
    compute_mode: Literal["default", "exclusive", "prohibited"] | None = None


@frozen
class Gpu:
    """One GPU. memory_mib: its memory in MiB, None when not told. compute_capability: None for other makes than NVIDIA.

    index: the driver's number for it, None when it was only told. state: None likewise.
    """

    name: str
    compute_capability: ComputeCapability | None = None
    memory_mib: int | None = None
    uuid: str | None = None
    index: int | None = None
    state: GpuState | None = None

    @property
    def vendor(self) -> Vendor:
        """By its name; a card of no known maker is taken for NVIDIA's, whose cards are told by bare model names as well."""
        if re.search(r"\b(AMD|Radeon|Instinct)\b", self.name, re.IGNORECASE):
            return "amd"
        return "intel" if "intel" in self.name.lower() else "nvidia"


@frozen
class BusGpu:
    """A display or compute device on the PCI bus, whether or not a driver has it. kernel_driver: such as nvidia, nouveau."""

    address: str
    vendor: Vendor
    vendor_id: str
    device_id: str
    name: str = ""
    kernel_driver: str | None = None


NvmlAnswer = Literal["works", "absent", "not-asked", "driver-not-loaded", "mismatch", "no-permission", "other"]


@frozen
class HostDetails:
    """The links below Host.

    flavour: what kind of machine it is; a Jetson has no GPU on a bus, WSL has no kernel driver.
    nvml: how NVML answered when it was started, and in its own words in nvml_said ("" when it works or is absent). It is
        not asked on a machine that is only reached through its engine.
    kernel_module: the loaded NVIDIA kernel driver; None: none is loaded.
    nodes: device files for GPUs, each with the numeric id of its group: ("/dev/kfd", 109).
    lost: GPUs that the driver counts and cannot talk to, one sentence each.
    rocm: the ROCm release on the host, None without one.
    """

    flavour: Literal["plain", "wsl", "jetson", "mac"]
    nvml: NvmlAnswer
    nvml_said: str = ""
    kernel_module: DriverVersion | Unknown | None = None
    bus: tuple[BusGpu, ...] | Unknown = ()
    nodes: tuple[tuple[str, int], ...] = ()
    lost: tuple[str, ...] = ()
    rocm: str | None = None


@frozen
class Host:
    """Facts of one machine.

    os: "windows" means WSL; a container there is a Linux one all the same.
    driver: the NVIDIA driver; None means known to have none, Unknown that nobody could tell.
    gpus: () means known to have none; Unknown that nobody could tell.
    driver_cuda: the CUDA the driver offers, as nvidia-smi shows it beside its version; None when not asked or there is none.
    engine: what starts containers on it; None when nobody asked it, Unknown when it did not answer.
    """

    os: OperatingSystem
    arch: Architecture
    driver: DriverVersion | Unknown | None
    gpus: tuple[Gpu, ...] | Unknown
    driver_cuda: CudaVersion | None = None
    engine: EngineInfo | Unknown | None = None
    details: HostDetails | None = None

    @property
    def is_known(self) -> bool:
        """Whether driver and GPUs were told, even if told to be absent."""
        return not isinstance(self.driver, Unknown) and not isinstance(self.gpus, Unknown)


@frozen
class Reach:
    """What a quick look told about the sources of a build; only `wsb build --fallback` looks.

    unreachable: source name (registry, conda, miniconda, torch, pip, apt) → why it could not be reached.
    local_images: images the engine already holds, which need no registry.
    local_wheels: file names of wheels in the local directories that pip is configured with.
    wheel_dir: the directory that holds them, for the source that the plan will name.
    can_bootstrap: whether a base can be made from the distribution's own packages here.
    """

    unreachable: tuple[tuple[str, str], ...] = ()
    local_images: tuple[str, ...] = ()
    local_wheels: tuple[str, ...] = ()
    wheel_dir: str | None = None
    can_bootstrap: bool = False

    def why_not(self, source: str) -> str | None:
        """Why this source cannot be reached; None when it can, or when nobody looked."""
        return dict(self.unreachable).get(source)
