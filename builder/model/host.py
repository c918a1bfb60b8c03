"""The machine that will run the image: facts, or why a fact is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from builder.model.values import ComputeCapability, DriverVersion, Unknown

OperatingSystem = Literal["linux", "windows", "macos"]
Architecture = Literal["x86_64", "aarch64"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU. memory_mib: its memory in MiB, None when not told. compute_capability: None for other makes than NVIDIA."""

    name: str
    compute_capability: ComputeCapability | None = None
    memory_mib: int | None = None
    uuid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Facts of one machine.

    os: "windows" means WSL; a container there is a Linux one all the same.
    driver: the NVIDIA driver; None means known to have none, Unknown that nobody could tell.
    gpus: () means known to have none; Unknown that nobody could tell.
    """

    os: OperatingSystem
    arch: Architecture
    driver: DriverVersion | Unknown | None
    gpus: tuple[Gpu, ...] | Unknown

    @property
    def is_known(self) -> bool:
        """Whether driver and GPUs were told, even if told to be absent."""
        return not isinstance(self.driver, Unknown) and not isinstance(self.gpus, Unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
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
