"""The Engine over the Docker SDK: Docker and Podman, reached as the docker command reaches them.

Each method is one call into a file of this room: connect, images, building, containers, attach. What goes wrong comes out
as a WsbError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from builder.engine import attach, building, containers, entering, images, moving, translate
from builder.engine.base import (
    BuildRequest,
    ContainerInfo,
    ContainerRequest,
    EngineInfo,
    ExecRequest,
    ImageInfo,
    Listener,
    Output,
    Pushed,
)
from builder.engine.calls import Client, translated
from builder.engine.connect import connect, disconnect
from builder.engine.stream import Clock


class DockerEngine:
    """An engine that answers at one endpoint. Use it from one thread."""

    def __init__(self, api: Client, clock: Clock = time.monotonic) -> None:
        self._api = api
        self._clock = clock

    @classmethod
    def connect(cls, environ: Mapping[str, str]) -> DockerEngine:
        """The engine this environment names. Raises WsbError: engine-unreachable, engine-too-old."""
        return cls(connect(environ))

    @property
    def takes_secrets(self) -> bool:
        return False  # a build without a session has none

    @property
    def sees_images(self) -> bool:
        return True

    def info(self) -> EngineInfo:
        with translated("asking what it is"):
            return _engine_info(self._api.version(), self._api.info(), _endpoint(self._api))

    def image(self, reference: str) -> ImageInfo | None:
        return images.image(self._api, reference)

    def images(self, label: str) -> tuple[ImageInfo, ...]:
        return images.images(self._api, label)

    def tags(self, label: str) -> tuple[str, ...]:
        return images.tags(self._api, label)

    def pull(self, reference: str, platform: str, listener: Listener) -> ImageInfo:
        return images.pull(self._api, reference, platform, listener)

    def import_rootfs(self, tar: BinaryIO, tag: str, changes: Sequence[str]) -> ImageInfo:
        return images.import_rootfs(self._api, tar, tag, changes)

    def build(self, request: BuildRequest, listener: Listener) -> ImageInfo:
        made = building.build(self._api, request, listener, self._clock)
        images.tag(self._api, made, request.tag)
        found = images.image(self._api, made)
        if found is None:
            raise translate.refused(f"looking for {request.tag}", f"no such image: {made}, which it has just built")
        return found

    def tag(self, image: str, tag: str) -> None:
        images.tag(self._api, image, tag)

    def remove_image(self, reference: str) -> None:
        images.remove(self._api, reference)

    def run(self, request: ContainerRequest, on_output: Callable[[Output], None], timeout_s: float | None = None) -> int:
        return containers.run(self._api, request, on_output, timeout_s, self._clock)

    def attach(self, request: ContainerRequest, on_output: Callable[[bytes], None] | None = None) -> int:
        return attach.attach(self._api, request, on_output)

    def containers(self, label: str) -> tuple[ContainerInfo, ...]:
        return entering.containers(self._api, label)

    def enter(self, request: ExecRequest) -> int:
        return entering.enter(self._api, request)

    def files_from_image(self, image: str, paths: Iterable[str]) -> dict[str, bytes]:
        return images.files(self._api, image, paths)

    def archive_from_image(self, image: str, path: str) -> Iterator[bytes]:
        return moving.archive(self._api, image, path)

    def save(self, references: Sequence[str]) -> Iterator[bytes]:
        return moving.save(self._api, references)

    def load(self, tar: BinaryIO, listener: Listener) -> tuple[str, ...]:
        return moving.load(self._api, tar, listener)

    def push(self, reference: str, listener: Listener) -> Pushed:
        return moving.push(self._api, reference, listener)

    def close(self) -> None:
        disconnect(self._api)


def _engine_info(version: Mapping[str, Any], info: Mapping[str, Any], endpoint: str = "") -> EngineInfo:
    components = [str(component.get("Name", "")) for component in version.get("Components") or ()]
    is_podman = any("podman" in name.lower() for name in components)
    security = [str(option) for option in info.get("SecurityOptions") or ()]
    return EngineInfo(
        kind="podman" if is_podman else "docker",
        version=str(version.get("Version", "")),
        api_version=str(version.get("ApiVersion", "")),
        os=str(version.get("Os") or info.get("OSType") or ""),
        arch=str(version.get("Arch") or info.get("Architecture") or ""),
        is_rootless=any("rootless" in option for option in security),
        is_desktop="Docker Desktop" in str(info.get("OperatingSystem", "")),
        has_buildkit=not is_podman and version.get("Os") != "windows",
        is_remote=endpoint.startswith(("http://", "https://", "ssh://")),
        runtimes=tuple(sorted(info.get("Runtimes") or ())),
        default_runtime=str(info.get("DefaultRuntime") or ""),
        cdi_spec_dirs=tuple(info.get("CDISpecDirs") or ()),
        cdi_devices=tuple(str(device["ID"]) for device in info.get("DiscoveredDevices") or () if device.get("Source") == "cdi"),
        root_dir=str(info.get("DockerRootDir", "")),
        endpoint=endpoint,
        proxy=str(info.get("HttpsProxy") or info.get("HttpProxy") or ""),
        has_containerd_store=any("io.containerd.snapshotter" in str(pair) for pair in info.get("DriverStatus") or ()),
    )


def _endpoint(api: Client) -> str:
    """Where the client speaks to: unix:///var/run/docker.sock, http://host:2375, ssh://host."""
    behind = getattr(api, "wsb_endpoint", None)
    if isinstance(behind, str):
        return behind
    for name, prefix in (("socket_path", "unix://"), ("npipe_path", "npipe://"), ("ssh_host", "ssh://")):
        where = getattr(getattr(api, "_custom_adapter", None), name, None)
        if isinstance(where, str):
            return prefix + where
    return str(api.base_url)
