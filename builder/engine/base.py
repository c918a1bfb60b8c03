"""What wsb needs from an engine, in wsb's own words, and the events a long step tells while it runs.

An Engine is whatever builds images and runs containers: a Docker Engine API (docker_sdk) or, later, `docker buildx`.
Nothing outside this room knows which one it is; every failure arrives as a WsbError made in translate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Protocol

from builder.errors import WsbError
from builder.model.engine import EngineInfo as EngineInfo
from builder.model.frozen import frozen

TIMED_OUT: Final = 124  # what run() returns when its time was up, as coreutils' timeout does

# --- events ---------------------------------------------------------------------------------------------------------


@frozen
class StepStarted:
    """A step of a build begins. name: as the engine words it, such as "[torch 2/3] RUN …"."""

    id: str
    name: str


@frozen
class StepProgress:
    """Bytes of something inside a step, such as a download or an extraction. total: 0 when not known."""

    id: str
    what: str
    current: int
    total: int


@frozen
class StepOutput:
    """A piece of what a step prints, decoded; it may end in the middle of a line."""

    id: str
    text: str


@frozen
class StepFinished:
    """A step ended. seconds: by the engine's clock. error: empty when it went well."""

    id: str
    name: str
    is_cached: bool
    seconds: float
    error: str = ""


@frozen
class LayerProgress:
    """One layer of an image that is pulled or pushed. what: Downloading, Extracting, Pull complete, Pushing, Pushed, …"""

    image: str
    layer: str
    what: str
    current: int
    total: int


@frozen
class Note:
    """A line from wsb itself about a long piece of work, such as making a base."""

    text: str


Event = StepStarted | StepProgress | StepOutput | StepFinished | LayerProgress | Note
Listener = Callable[[Event], None]


# --- requests and answers -------------------------------------------------------------------------------------------


@frozen
class ImageInfo:
    """One local image. size_bytes: unpacked. layers: diff ids, lowest first. digests: name@digest as registries know it."""

    id: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    env: tuple[str, ...]
    size_bytes: int
    layers: tuple[str, ...]
    created: str
    platform: str
    user: str = ""
    digests: tuple[str, ...] = ()
    workdir: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


@frozen
class BuildRequest:
    """One build. context: opened when the build starts; gives a tar. target: a stage, or "" for the last one.

    args: build arguments. The predefined proxy ones neither stay in the image nor change the cache's keys.
    labels: of the image, beside those that its Dockerfile sets.
    network: default, host or none. secrets: id → content, for an engine that takes secrets; it mounts them itself.
    """

    tag: str
    context: Callable[[], BinaryIO]
    dockerfile: str = "Dockerfile"
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    network: str = "default"
    use_cache: bool = True
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@frozen
class ContainerRequest:
    """One container. user: uid:gid or a name. gpu: device requests in the engine's own words are made by launch."""

    image: str
    command: Sequence[str]
    user: str = ""
    groups: Sequence[str] = ()
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[tuple[str, str, bool]] = ()  # (source, target, is_read_only)
    ports: Sequence[tuple[int, int]] = ()  # (container, host on loopback)
    shm_size: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    init: bool = True
    network: str = ""
    has_tty: bool = False
    keeps_stdin: bool = False
    entrypoint: Sequence[str] | None = None
    device_requests: Sequence[Mapping[str, object]] = ()
    devices: Sequence[str] = ()  # device files of the host, such as /dev/kfd for ROCm
    runtime: str = ""


@frozen
class ContainerInfo:
    """One running container. image: the name or id it was made from. user: whom its processes run as, "" for root."""

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    user: str = ""


@frozen
class ExecRequest:
    """One command in a container that runs already."""

    container: str
    command: Sequence[str]
    user: str = ""
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    has_tty: bool = False
    keeps_stdin: bool = False


@dataclass
class BuildFailed(WsbError):
    """A build that stopped at a step: build-failed, or source-unreachable when the step could not reach a host.

    step_name: as in the events, such as "[torch 2/3] RUN …"; "" when no step was at fault. step_exit_code: None when the
    step ended otherwise. host: what could not be reached, "" when that was not the reason.
    """

    step_name: str = ""
    step_exit_code: int | None = None
    host: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of what a process printed."""

    is_stderr: bool
    data: bytes


@frozen
class Pushed:
    """An image in its registry. sent_bytes: of the layers that went over the wire; the others were there already.

    They are counted as the engine holds them: unpacked, or packed where it holds packed layers.
    """

    reference: str
    digest: str
    sent_bytes: int
    layers_sent: int
    layers_there: int


class Process(Protocol):
    """A command running in a container. Iterate for its output; then ask for its exit code."""

    def __iter__(self) -> Iterator[Output]: ...

    def exit_code(self) -> int: ...


class Engine(Protocol):
    """What builds and runs. Every method raises WsbError and nothing else for what can go wrong out there."""

    @property
    def takes_secrets(self) -> bool:
        """Whether a build may be handed secrets."""
        ...

    @property
    def sees_images(self) -> bool:
        """Whether a build finds the images that this engine holds."""
        ...

    def info(self) -> EngineInfo: ...

    def image(self, reference: str) -> ImageInfo | None:
        """The local image of this name or id; None when the engine does not hold it."""
        ...

    def images(self, label: str) -> tuple[ImageInfo, ...]:
        """Local images that carry a label, newest first. Each of them is one more question to the engine."""
        ...

    def tags(self, label: str) -> tuple[str, ...]:
        """The names of local images that carry a label ("" for all), newest first: one question, however many they are."""
        ...

    def pull(self, reference: str, platform: str, listener: Listener) -> ImageInfo: ...

    def import_rootfs(self, tar: BinaryIO, tag: str, changes: Sequence[str]) -> ImageInfo:
        """An image from the tar of a root file system.

        changes: Dockerfile instructions for its configuration, one variable to an ENV, as Podman reads no more.
        """
        ...

    def build(self, request: BuildRequest, listener: Listener) -> ImageInfo:
        """Build and tag; nothing is tagged when it fails. KeyboardInterrupt cancels the build on the engine."""
        ...

    def tag(self, image: str, tag: str) -> None: ...

    def remove_image(self, reference: str) -> None: ...

    def run(self, request: ContainerRequest, on_output: Callable[[Output], None], timeout_s: float | None = None) -> int:
        """Create, start, stream, wait, remove; returns the exit code. The container is gone afterwards, whatever happens.

        timeout_s: the container is killed when it runs longer, and TIMED_OUT is returned.
        """
        ...

    def attach(self, request: ContainerRequest, on_output: Callable[[bytes], None] | None = None) -> int:
        """The same with this process's own terminal, standard streams and signals.

        on_output: gets a copy of what the command prints, of both streams, after it was written.
        """
        ...

    def containers(self, label: str) -> tuple[ContainerInfo, ...]:
        """Running containers that carry a label (name, or name=value), newest first."""
        ...

    def enter(self, request: ExecRequest) -> int:
        """A command in a running container with this process's own terminal and streams; returns its exit code."""
        ...

    def files_from_image(self, image: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Contents of single files of an image, without starting it; absent ones are left out."""
        ...

    def archive_from_image(self, image: str, path: str) -> Iterator[bytes]:
        """A tar of one path of an image and all below it, in pieces, without starting it; "/" is its whole file tree."""
        ...

    def save(self, references: Sequence[str]) -> Iterator[bytes]:
        """Images with their names, as a tar that load takes; in pieces."""
        ...

    def load(self, tar: BinaryIO, listener: Listener) -> tuple[str, ...]:
        """The images of such a tar; returns their names or ids."""
        ...

    def push(self, reference: str, listener: Listener) -> Pushed:
        """To the registry that the reference names, with the credentials docker keeps for it."""
        ...

    def close(self) -> None: ...
