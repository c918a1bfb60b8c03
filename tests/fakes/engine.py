"""An engine in memory, for tests of what stands above the engine room.

It remembers what it was asked, plays the events it was given, holds images by name, and fails where it is told to:

    engine = FakeEngine(events=[StepStarted(id="1", name="[1/1] FROM debian")])
    engine.fail("build", BuildFailed("build-failed", "a step failed"))
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from builder.engine.base import (
    BuildRequest,
    ContainerInfo,
    ContainerRequest,
    EngineInfo,
    Event,
    ExecRequest,
    ImageInfo,
    LayerProgress,
    Listener,
    Output,
    Pushed,
)

INFO = EngineInfo(kind="docker", version="28.0.0", api_version="1.48", os="linux", arch="amd64")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command prints and how it exits."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int = 0


@dataclass
class FakeEngine:
    """asked: method and first argument of every call, in order. built: the tar each build was given, by tag.

    events: told by every build. pullable: references a pull finds; None means all. runs: what the next commands do, then
    a silent success. files: what files_from_image finds, whatever the image. running: what containers() finds.
    """

    events: Sequence[Event] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    pullable: Sequence[str] | None = None
    runs: list[Ran] = field(default_factory=list)
    files: Mapping[str, bytes] = field(default_factory=dict)
    running: Sequence[ContainerInfo] = ()
    engine_info: EngineInfo = INFO
    held: dict[str, ImageInfo] = field(default_factory=dict)
    asked: list[tuple[str, object]] = field(default_factory=list)
    built: dict[str, bytes] = field(default_factory=dict)
    failures: dict[str, list[BaseException]] = field(default_factory=dict)
    is_closed: bool = False
    takes_secrets: bool = False
    sees_images: bool = True

    def fail(self, method: str, *errors: BaseException) -> None:
        """Let the next calls of a method raise these, one each."""
        self.failures.setdefault(method, []).extend(errors)

    def hold(self, tag: str, **more: object) -> ImageInfo:
        """Put an image there as if it had been pulled or built before."""
        made = ImageInfo(
            **{  # type: ignore[arg-type]
                "id": "sha256:" + hashlib.sha256(tag.encode()).hexdigest(),
                "tags": (tag,),
                "labels": {},
                "env": (),
                "size_bytes": 1 << 20,
                "layers": ("sha256:" + hashlib.sha256(b"base").hexdigest(),),
                "created": f"2026-01-01T00:00:{len(self.held):02d}Z",
                "platform": "linux/amd64",
                **more,
            }
        )
        self.held[tag] = made
        return made

    def requests(self, method: str) -> list[object]:
        """First arguments of all calls of one method."""
        return [what for called, what in self.asked if called == method]

    # --- the Engine protocol ---

    def info(self) -> EngineInfo:
        self._ask("info", None)
        return self.engine_info

    def image(self, reference: str) -> ImageInfo | None:
        self._ask("image", reference)
        return self._found(reference)

    def images(self, label: str) -> tuple[ImageInfo, ...]:
        self._ask("images", label)
        key, _, value = label.partition("=")
        found = [one for one in self.held.values() if not key or (key in one.labels and value in ("", one.labels[key]))]
        return tuple(sorted(found, key=lambda one: one.created, reverse=True))

    def tags(self, label: str) -> tuple[str, ...]:
        found = self.images(label)
        self.asked[-1] = ("tags", label)
        return tuple(tag for one in found for tag in one.tags)

    def pull(self, reference: str, platform: str, listener: Listener) -> ImageInfo:
        self._ask("pull", reference)
        if self.pullable is not None and reference not in self.pullable:
            from builder.engine.translate import base_unreachable

            raise base_unreachable(reference, "dial tcp: no such host")
        listener(LayerProgress(image=reference, layer="abc", what="Pull complete", current=0, total=0))
        return self.hold(reference, platform=platform or "linux/amd64")

    def import_rootfs(self, tar: BinaryIO, tag: str, changes: Sequence[str]) -> ImageInfo:
        self._ask("import_rootfs", tag)
        self.built[tag] = tar.read()
        return self.hold(tag)

    def build(self, request: BuildRequest, listener: Listener) -> ImageInfo:
        with request.context() as tar:
            content = tar.read()
        for event in self.events:
            listener(event)
        self._ask("build", request)
        self.built[request.tag] = content
        return self.hold(request.tag, labels={**self.labels, **request.labels})

    def tag(self, image: str, tag: str) -> None:
        self._ask("tag", tag)
        found = self._found(image)
        if found:
            self.held[tag] = replace(found, tags=(*found.tags, tag))

    def remove_image(self, reference: str) -> None:
        self._ask("remove_image", reference)
        self.held.pop(reference, None)

    def run(self, request: ContainerRequest, on_output: Callable[[Output], None], timeout_s: float | None = None) -> int:
        self._ask("run", request)
        ran = self.runs.pop(0) if self.runs else Ran()
        for is_stderr, data in ((False, ran.stdout), (True, ran.stderr)):
            if data:
                on_output(Output(is_stderr=is_stderr, data=data))
        return ran.code

    def attach(self, request: ContainerRequest, on_output: Callable[[bytes], None] | None = None) -> int:
        self._ask("attach", request)
        ran = self.runs.pop(0) if self.runs else Ran()
        if on_output is not None:
            on_output(ran.stdout + ran.stderr)
        return ran.code

    def containers(self, label: str) -> tuple[ContainerInfo, ...]:
        self._ask("containers", label)
        key, _, value = label.partition("=")
        return tuple(one for one in self.running if key in one.labels and value in ("", one.labels[key]))

    def enter(self, request: ExecRequest) -> int:
        self._ask("enter", request)
        return (self.runs.pop(0) if self.runs else Ran()).code

    def files_from_image(self, image: str, paths: Iterable[str]) -> dict[str, bytes]:
        self._ask("files_from_image", image)
        return {path: self.files[path] for path in paths if path in self.files}

    def archive_from_image(self, image: str, path: str) -> Iterator[bytes]:
        self._ask("archive_from_image", image)
        yield _tar(self.files) if path == "/" else self.built.get(image, b"")

    def save(self, references: Sequence[str]) -> Iterator[bytes]:
        self._ask("save", tuple(references))
        yield "\n".join(references).encode()

    def load(self, tar: BinaryIO, listener: Listener) -> tuple[str, ...]:
        names = tuple(tar.read().decode().splitlines())
        self._ask("load", names)
        for name in names:
            self.hold(name)
        return names

    def push(self, reference: str, listener: Listener) -> Pushed:
        self._ask("push", reference)
        digest = "sha256:" + hashlib.sha256(reference.encode()).hexdigest()
        return Pushed(reference=reference, digest=digest, sent_bytes=1, layers_sent=1, layers_there=0)

    def close(self) -> None:
        self.is_closed = True

    def _ask(self, method: str, what: object) -> None:
        self.asked.append((method, what))
        if self.failures.get(method):
            raise self.failures[method].pop(0)

    def _found(self, reference: str) -> ImageInfo | None:
        by_id = (one for one in self.held.values() if one.id == reference)
        return self.held.get(reference) or next(by_id, None)


def _tar(files: Mapping[str, bytes]) -> bytes:
    """These files as a root file system's tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
