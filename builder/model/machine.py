"""What wsb's doctor asks of a machine beside its GPU: distribution, disks, memory, certificates, and how sources answer."""

from __future__ import annotations

from typing import Literal

from builder.model.frozen import frozen

Family = Literal["debian", "ubuntu", "fedora", "rhel", "arch", "suse", "alpine", "nixos", "macos", "other"]


@frozen
class Distribution:
    """What wsb runs on. family: whose package manager and names it has. name: as it calls itself."""

    family: Family
    name: str


@frozen
class Volume:
    """A disk. role: what wsb puts there."""

    path: str
    role: Literal["engine", "project", "temporary"]
    free_bytes: int
    total_bytes: int


@frozen
class Memory:
    """Main memory; available as the kernel counts it."""

    total_bytes: int
    available_bytes: int


@frozen
class Place:
    """A source that builds take from, and how it answered.

    source: registry, conda, miniconda, torch, pip, apt. why_not: empty when it answered. seconds: to its first byte.
    bytes_per_s: None where it sends too little to tell. clock_ahead_s: how far this machine's clock is ahead of its.
    """

    source: str
    url: str
    why_not: str = ""
    is_certificate: bool = False
    seconds: float = 0.0
    bytes_per_s: int | None = None
    clock_ahead_s: float | None = None


@frozen
class Certificates:
    """The certificate authorities this machine's tools are told to trust. variable: who told. trouble: empty when readable."""

    variable: str
    path: str
    trouble: str = ""
