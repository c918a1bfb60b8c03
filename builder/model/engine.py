"""What an engine says of itself, as far as deciding depends on it."""

from __future__ import annotations

from typing import Literal

from builder.model.frozen import frozen

EngineKind = Literal["docker", "podman"]


@frozen
class EngineInfo:
    """One engine. os, arch: of the machine its containers run on, which need not be this one.

    is_remote: whether it is reached over a network, so that this machine's driver and GPUs tell nothing about it.
    runtimes: registered names, such as runc and nvidia; default_runtime is one of them.
    cdi_devices: fully qualified names of devices it can hand in; from the engine, else from its spec folders when it is local.
    proxy: what it pulls images through.
    cdi_spec_dirs: () where CDI is switched off, or the engine is too old to know it.
    has_containerd_store: whether it holds images as registries do, packed layers and manifests, which Docker 29 begins with.
    """

    kind: EngineKind
    version: str
    api_version: str
    os: str
    arch: str
    is_rootless: bool = False
    is_desktop: bool = False
    is_remote: bool = False
    has_buildkit: bool = True
    runtimes: tuple[str, ...] = ()
    default_runtime: str = ""
    cdi_spec_dirs: tuple[str, ...] = ()
    cdi_devices: tuple[str, ...] = ()
    root_dir: str = ""
    endpoint: str = ""
    proxy: str = ""
    has_containerd_store: bool = False

    def cdi_names(self, kind: str) -> tuple[str, ...]:
        """The devices of one kind, such as nvidia.com/gpu, without it: ("0", "1", "all")."""
        return tuple(name.removeprefix(f"{kind}=") for name in self.cdi_devices if name.startswith(f"{kind}="))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version as numbers, for comparing: 26.1.5+dfsg1 is (26, 1, 5)."""
        parts = self.version.partition("+")[0].partition("-")[0].split(".")
        return tuple(int(part) for part in parts if part.isdigit())
