"""Rows of the tables as frozen types: what a query hands out.

Only the tables that deciding reads often have a type here; rows that are looked up once and shown are handed out as they
stand in the table (`Row`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.version import Version

from builder.model.frozen import frozen
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion, Variant

Row = Mapping[str, Any]

# Wheel platforms, as file names of wheels spell them with the libc left out.
LINUX_X86_64 = "linux_x86_64"
LINUX_AARCH64 = "linux_aarch64"
PLATFORMS = (LINUX_X86_64, LINUX_AARCH64, "win_amd64", "macos_arm64", "macos_x86_64")


@frozen
class MachineCode:
    """sm: code that runs as it is. ptx: code that the driver can compile for later GPUs. unverified: why, when it is."""

    sm: tuple[ComputeCapability, ...]
    ptx: tuple[ComputeCapability, ...] = ()
    unverified: str | None = None
    source: tuple[str, ...] = ()


@frozen
class TorchBuild:
    """One build of a release for one platform.

    code: None for builds that run on no NVIDIA GPU. is_default: the default index (PyPI) serves exactly this build.
    index_url, find_links: where else it lies; a page of links, for the releases that have no index.
    place_unverified: why that place is not certain, when it is not.
    """

    version: Version
    variant: Variant
    platform: str
    code: MachineCode | None
    is_default: bool
    is_advertised: bool
    index_url: str | None
    find_links: str | None
    place_unverified: str | None = None

    @property
    def local(self) -> str:
        return f"{self.version}+{self.variant}"


@frozen
class Doubt:
    """Builds of one release that nobody has seen. is_missing: the table leaves them out, though they may exist."""

    variants: tuple[Variant, ...]
    because: str
    is_missing: bool = False


@frozen
class TorchRelease:
    """One release of torch.

    known_as: the release whose facts these are; another one than version when they were extrapolated.
    pythons: platform → Pythons by the list of files, free-threaded ones with a t. default: platform → build on PyPI.
    builds: platform → advertised builds. unadvertised: exist on the torch index, for those who name them.
    glibc: platform → the C library its wheels need. is_lts: not on PyPI, taken only when named.
    doubts: what is not certain about its builds.
    """

    version: Version
    known_as: Version
    released: str
    pythons: Mapping[str, tuple[str, ...]]
    default: Mapping[str, Variant]
    builds: Mapping[str, tuple[Variant, ...]]
    unadvertised: tuple[Variant, ...] = ()
    rocm: tuple[Variant, ...] = ()
    has_xpu: bool = False
    torchvision: str | None = None
    torchaudio: str | None = None
    torchtext: str | None = None
    cudnn: str | None = None
    triton: str | None = None
    glibc: Mapping[str, str]
    is_lts: bool = False
    note: str | None = None
    unverified: str | None = None
    doubts: tuple[Doubt, ...] = ()
    source: tuple[str, ...] = ()

    @property
    def is_extrapolated(self) -> bool:
        return self.version != self.known_as

    @property
    def minor(self) -> str:
        """Its series, such as 2.6."""
        return f"{self.version.major}.{self.version.minor}"

    def python_of(self, platform: str) -> tuple[str, ...]:
        """The Pythons with files for this platform, without free-threaded ones, oldest first."""
        return tuple(python for python in self.pythons.get(platform, ()) if not python.endswith("t"))


@frozen
class CompanionRelease:
    """A release of torchvision or torchaudio. pythons: platform → Pythons; "py3" stands for every Python 3."""

    package: str
    version: Version
    requires_torch: str | None
    requires_python: str | None
    pythons: Mapping[str, tuple[str, ...]]
    is_yanked: bool = False

    def has_python(self, platform: str, python: str) -> bool:
        """Whether it has a wheel for this Python on this platform."""
        offered = self.pythons.get(platform, ()) or self.pythons.get("any", ())
        return python in offered or "py3" in offered


@frozen
class Toolkit:
    """A CUDA toolkit and the driver that came with it; windows counts for WSL."""

    cuda: CudaVersion
    update: int
    linux: DriverVersion
    windows: DriverVersion | None
    unverified: str | None = None


@frozen
class Architecture:
    """What GPUs of one architecture need. last_cuda, last_driver: None while it is supported."""

    name: str
    compute_capabilities: tuple[ComputeCapability, ...]
    first_cuda: CudaVersion
    last_cuda: CudaVersion | None
    last_driver: str | None


@frozen
class GpuModel:
    """A GPU by name. is_data_center: NVIDIA's cuda-compat package may lift the driver limit. unverified: why, when it is."""

    name: str
    compute_capability: ComputeCapability
    is_data_center: bool = False
    is_integrated: bool = False
    unverified: str | None = None


@frozen
class Distribution:
    """A release of a Linux distribution: its C library and its own Python, None when it has none worth using."""

    names: tuple[str, ...]
    version: str
    codename: str | None
    glibc: str
    python: str | None
    unverified: str | None = None

    @property
    def title(self) -> str:
        return f"{self.names[0]} {self.version}"


@frozen
class NvidiaImage:
    """One CUDA release of nvidia/cuda. ubuntu: its Ubuntu versions, oldest first. cudnn: how a tag spells cuDNN."""

    cuda: str
    cudnn: str
    ubuntu: tuple[str, ...]

    def tag(self, flavour: str, ubuntu: str, *, cudnn: bool = False) -> str:
        middle = f"-{self.cudnn}" if cudnn else ""
        return f"nvidia/cuda:{self.cuda}{middle}-{flavour}-ubuntu{ubuntu}"


@frozen
class PytorchImage:
    """One CUDA of one release of pytorch/pytorch."""

    torch: str
    cuda: str
    cudnn: str
    unverified: str | None = None

    def tag(self, flavour: str) -> str:
        return f"pytorch/pytorch:{self.torch}-cuda{self.cuda}-cudnn{self.cudnn}-{flavour}"


@frozen
class Installer:
    """An installer and what it must hash to. kind: Miniconda3, Miniforge3 or micromamba."""

    kind: str
    version: str
    url: str
    sha256: str
