"""What the user wrote in wsb.yaml, each value with its file, line and column. A key not written is None or ()."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from builder.model.frozen import frozen
from builder.model.values import Ide, Located, Location, Manager, Variant, VersionRequest


@frozen
class TorchRequest:
    """version None means `torch: none`: no torch at all. variant: a build the version text itself names (2.6.0+cu126)."""

    version: VersionRequest | None
    variant: Variant | None = None


@frozen
class AcceleratorRequest:
    """kind auto, cpu, cuda or rocm; variant when one build is named ("12.6", cu126)."""

    kind: Literal["auto", "cpu", "cuda", "rocm", "xpu"]
    variant: Variant | None = None


@frozen
class BaseRequest:
    """kind auto; image with a reference; bootstrap with a distribution's suite such as bookworm."""

    kind: Literal["auto", "image", "bootstrap"]
    value: str = ""


@frozen
class PackagesSpec:
    conda: tuple[Located[str], ...] = ()
    pip: tuple[Located[str], ...] = ()
    apt: tuple[Located[str], ...] = ()


@frozen
class SourcesSpec:
    """Where things are taken from: a preset's name, or single sources. Each is a URL or a local path.

    ca: a PEM file of certificate authorities to trust during the build; keep_ca: also afterwards, in the image.
    keep_proxies: whether the proxies of the machine that builds are set in the image too.
    """

    preset: Located[str] | None = None
    registry: Located[str] | None = None
    apt: Located[str] | None = None
    conda: Located[str] | None = None
    miniconda: Located[str] | None = None
    pip: Located[str] | None = None
    torch: Located[str] | None = None
    ca: Located[str] | None = None
    keep_ca: Located[bool] | None = None
    keep_proxies: Located[bool] | None = None


@frozen
class UserSpec:
    name: Located[str] | None = None
    uid: Located[int] | None = None


@frozen
class RunSpec:
    """How a container is started. mounts: docker's own short form, source:target[:ro]."""

    shm_size: Located[str] | None = None
    ports: tuple[Located[int], ...] = ()
    mounts: tuple[Located[str], ...] = ()
    env: tuple[tuple[str, Located[str]], ...] = ()


@frozen
class Spec:
    """One wsb.yaml. where: the file as a whole, for messages about a key that is not there."""

    where: Location
    name: Located[str]
    python: Located[VersionRequest] | None = None
    torch: Located[TorchRequest] | None = None
    accelerator: Located[AcceleratorRequest] | None = None
    manager: Located[Manager] | None = None
    environment: Located[str] | None = None
    requirements: tuple[Located[str], ...] = ()
    packages: PackagesSpec = field(default_factory=PackagesSpec)
    channels: tuple[Located[str], ...] = ()
    base: Located[BaseRequest] | None = None
    sources: SourcesSpec = field(default_factory=SourcesSpec)
    user: UserSpec = field(default_factory=UserSpec)
    run: RunSpec = field(default_factory=RunSpec)
    ide: tuple[Located[Ide], ...] | None = None
