"""The second engine: builds go through `docker buildx`, all else through the Docker SDK as before.

It is there for what a build without a session cannot do: secrets, ssh, other platforms, caches in a registry, builders
elsewhere (remote, Kubernetes), attestations, pushing while building. Its progress is BuildKit's own, as JSON documents.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from builder.engine import images, moving, rawjson, translate
from builder.engine.base import BuildRequest, ImageInfo, Listener
from builder.engine.calls import Client
from builder.engine.connect import connect
from builder.engine.docker_sdk import DockerEngine
from builder.engine.stream import BuildStream, Clock
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.threads import start_deaf

_BLOCK: Final = 1 << 18
_GRACE_S: Final = 15.0
_NETWORK: Final = "--mount=type=bind,source=.wsb/network,target=/run/wsb/network"
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)")
_NEEDED: Final = (0, 12)  # the first that prints its progress as JSON
_EPOCH: Final = "SOURCE_DATE_EPOCH"
_DATED: Final = "image.tar"
_ALONE: Final = "--provenance=false"  # an attestation beside it would make an index of the image
SECRET_FILES: Final = {"wsb-netrc": "/run/wsb/netrc"}


@frozen
class BuildxOptions:
    """builder: its name, "" for the current one. push_to: a reference without tag, to push by digest instead of loading.

    cache_from, cache_to, attest, secrets, ssh: as buildx takes them. compression: of the layers written, "" for the engine's
    own way; gzip, zstd or estargz.
    """

    builder: str = ""
    push_to: str = ""
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    attest: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    compression: str = ""
    compression_level: int | None = None

    @property
    def packing(self) -> str:
        """The attributes of an output that say how every layer is packed, those of the base too."""
        if not self.compression:
            return ""
        level = "" if self.compression_level is None else f",compression-level={self.compression_level}"
        # zstd is known to the media types of OCI only
        return f",compression={self.compression}{level},force-compression=true,oci-mediatypes=true"


class BuildxEngine(DockerEngine):
    """pushed: name → digest of what was pushed by the builds of this engine."""

    def __init__(self, api: Client, environ: Mapping[str, str], options: BuildxOptions, clock: Clock = time.monotonic) -> None:
        super().__init__(api, clock)
        self._environ = environ
        self._options = options
        self._driver = _driver(environ, options.builder)
        self.pushed: dict[str, str] = {}

    @classmethod
    def found(cls, environ: Mapping[str, str], options: BuildxOptions) -> BuildxEngine:
        """Raises WsbError tool-missing without buildx, and what connecting raises."""
        _check_version(environ)
        return cls(connect(environ), environ, options)

    @property
    def takes_secrets(self) -> bool:
        return True

    @property
    def sees_images(self) -> bool:
        """Only the builder that is the engine itself does: others keep their own store."""
        return self._driver == "docker"

    def build(self, request: BuildRequest, listener: Listener) -> ImageInfo:
        pushes = bool(self._options.push_to) and not request.target and not self.sees_images
        with tempfile.TemporaryDirectory(prefix="wsb-buildx-") as folder:
            place = Path(folder)
            output = self._output(request, place) if not pushes else self._pushing(request)
            command = [*self._command(request), *output, *_secret_flags(request, place), f"--metadata-file={place}/metadata"]
            self._run(command, request, listener)
            metadata = json.loads((place / "metadata").read_bytes())
            if (place / _DATED).exists():
                with (place / _DATED).open("rb") as tar:
                    moving.load(self._api, tar, lambda _: None)
        digest = str(metadata.get("containerimage.digest") or "")
        if pushes:
            self.pushed[self._options.push_to] = digest
            return ImageInfo(
                id=digest, tags=(), labels={}, env=(), size_bytes=0, layers=(), created="", platform=request.platform
            )
        made = str(metadata.get("containerimage.config.digest") or digest)
        found = images.image(self._api, made) or images.image(self._api, digest)
        if found is None:
            raise translate.refused(f"looking for {request.tag}", f"no such image: {made}, which buildx has just built")
        images.tag(self._api, found.id, request.tag)
        return images.image(self._api, found.id) or found

    def name(self, tag: str, digests: Sequence[str]) -> str:
        """Give images of this registry, which were pushed by digest, one name together; returns its reference."""
        reference = f"{self._options.push_to}:{tag}"
        parts = [f"{self._options.push_to}@{digest}" for digest in digests]
        builder = [f"--builder={self._options.builder}"] if self._options.builder else []
        command = ["docker", "buildx", "imagetools", "create", *builder, f"--tag={reference}", *parts]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(self._environ))
        if done.returncode:
            raise translate.push_refused(reference, done.stderr or done.stdout)
        return reference

    def _command(self, request: BuildRequest) -> list[str]:
        options = self._options
        command = ["docker", "buildx", "build", "--progress=rawjson", f"--file={request.dockerfile}"]
        command += [f"--builder={options.builder}"] if options.builder else []
        command += [f"--target={request.target}"] if request.target else []
        command += [f"--platform={request.platform}"] if request.platform else []
        command += [f"--build-arg={name}={value}" for name, value in sorted(request.args.items())]
        command += [] if request.network == "default" else [f"--network={request.network}"]
        command += [] if request.use_cache else ["--no-cache"]
        command += [f"--cache-from={one}" for one in options.cache_from] + [f"--cache-to={one}" for one in options.cache_to]
        command += [f"--ssh={one}" for one in options.ssh] + [f"--secret={one}" for one in options.secrets]
        command += [f"--label={name}={value}" for name, value in sorted(request.labels.items())]
        return command

    def _pushing(self, request: BuildRequest) -> list[str]:
        """Pushed by its digest, by a builder with a store of its own."""
        options = self._options
        # times of files are set too, where SOURCE_DATE_EPOCH is: the same lock gives the same digest
        rewrite = ",rewrite-timestamp=true" if _EPOCH in request.args else ""
        output = f"--output=type=image,name={options.push_to},push-by-digest=true,push=true{rewrite}{options.packing}"
        # what buildx attests by itself tells when and where it ran, in the digest too
        return [*(f"--attest={one}" for one in options.attest), *([] if options.attest else [_ALONE]), output]

    def _output(self, request: BuildRequest, folder: Path) -> list[str]:
        """Into the engine."""
        if self.sees_images and request.target and _EPOCH in request.args and self._can_date:
            # The engine cannot unpack what it dates, so it goes through a file. Only a stage is worth that, which others share:
            # a whole workspace carries all of torch along.
            return [_ALONE, f"--output=type=oci,dest={folder}/{_DATED},rewrite-timestamp=true"]
        if self.sees_images and not request.target and self._options.packing:
            # a stage stays as it is: eStargz changes the layers themselves, and the engine finds what stands on them by those
            return [_ALONE, f"--output=type=image,name={request.tag}{self._options.packing}"]
        return [_ALONE, "--load"]

    @cached_property
    def _can_date(self) -> bool:
        """Whether the engine's own BuildKit sets the times of files: 0.13, with a store of packed layers."""
        info = self.info()
        return info.has_containerd_store and info.numbers >= (26,)

    def _run(self, command: list[str], request: BuildRequest, listener: Listener) -> None:
        stream = BuildStream(listener, self._clock)
        doing = f"building {request.tag}"
        try:
            process = subprocess.Popen(
                [*command, "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=dict(self._environ),
                start_new_session=True,  # Ctrl-C is ours to pass on, once
            )
        except OSError as error:
            raise translate.lost(doing, str(error)) from error
        sender = threading.Thread(target=_send, args=(request, process, self._mounts(request)), name="wsb-context", daemon=True)
        start_deaf(sender)
        words: deque[str] = deque(maxlen=20)
        try:
            assert process.stderr is not None
            for told in rawjson.read(process.stderr):
                if isinstance(told, str):
                    words.append(told)
                else:
                    stream.take(told)
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        if code == 0:
            return
        message = next(
            (text.removeprefix("ERROR: ") for text in reversed(words) if text.startswith("ERROR: ")), "\n".join(words)
        )
        stream.feed({"errorDetail": {"message": message}})
        failure = stream.failure()
        assert failure is not None
        raise translate.build_failure(request.tag, failure)

    def _mounts(self, request: BuildRequest) -> tuple[str, ...]:
        """What is mounted into every step that downloads, beside the settings of the network."""
        files = [f"--mount=type=secret,id={name},target={SECRET_FILES[name]}" for name in sorted(request.secrets)]
        own = [f"--mount=type=secret,id={id}" for one in self._options.secrets if (id := _field(one, "id"))]
        ssh = [f"--mount=type=ssh,id={one.partition('=')[0]}" for one in self._options.ssh]
        return (*files, *own, *ssh)


def with_mounts(dockerfile: str, mounts: Sequence[str]) -> str:
    """The Dockerfile whose downloading steps have these mounts as well."""
    more = "".join(f" {mount}" for mount in mounts)
    return dockerfile.replace(_NETWORK, _NETWORK + more) if more else dockerfile


def _send(request: BuildRequest, process: subprocess.Popen[bytes], mounts: Sequence[str]) -> None:
    """The context, as a tar on standard input; the Dockerfile with what this engine mounts."""
    assert process.stdin is not None
    with suppress(BrokenPipeError, OSError), process.stdin as stdin:
        for block in _with_mounts(request, mounts):
            stdin.write(block)


def _with_mounts(request: BuildRequest, mounts: Sequence[str]) -> Iterator[bytes]:
    import io
    import tarfile

    with request.context() as tar:
        if not mounts:
            while block := tar.read(_BLOCK):
                yield block
            return
        out: Any = _Sink()
        with tarfile.open(fileobj=tar, mode="r|") as source, tarfile.open(fileobj=out, mode="w|") as target:
            for member in source:
                content = source.extractfile(member) if member.isreg() else None
                if member.name == request.dockerfile and content is not None:
                    text = with_mounts(content.read().decode("utf-8"), mounts).encode()
                    member.size, content = len(text), io.BytesIO(text)
                target.addfile(member, content)
                yield out.taken()
        yield out.taken()


class _Sink:
    """Takes what a tar writer writes, and gives it away piece by piece."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def taken(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data


def _secret_flags(request: BuildRequest, folder: Path) -> list[str]:
    """The content goes through a file that only this user reads and that is gone with the build."""
    flags = []
    for name, content in sorted(request.secrets.items()):
        path = folder / name
        path.touch(0o600)
        path.write_bytes(content)
        flags.append(f"--secret=id={name},src={path}")
    return flags


def _field(text: str, name: str) -> str:
    return dict(part.partition("=")[::2] for part in text.split(",")).get(name, "")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop the build: buildx cancels it on the builder when it is interrupted."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _driver(environ: Mapping[str, str], builder: str) -> str:
    said = _ask(environ, "buildx", "inspect", *([builder] if builder else []))
    found = re.search(r"^Driver:\s+(\S+)", said, re.MULTILINE)
    if not found:
        raise WsbError(
            "engine-refused",
            f"docker buildx knows no builder {builder}" if builder else "docker buildx has no builder",
            details=said.splitlines()[-3:],
            hints=["`docker buildx ls` lists them; `docker buildx create --name NAME` makes one"],
        )
    return found[1]


def _check_version(environ: Mapping[str, str]) -> None:
    said = _ask(environ, "buildx", "version")
    found = _VERSION.search(said.partition(" ")[2])
    if "buildx" not in said.split("\n")[0] or not found:
        raise WsbError(
            "tool-missing",
            "this build needs docker buildx, which is not installed here",
            details=said.splitlines()[:1],
            hints=["Debian, Ubuntu: `apt-get install docker-buildx` (or docker-buildx-plugin of Docker's own packages)"],
        )
    if (int(found[1]), int(found[2])) < _NEEDED:
        raise WsbError("tool-missing", f"this docker buildx is too old: {found[0]}", hints=["wsb needs 0.12 or newer"])


def _ask(environ: Mapping[str, str], *words: str) -> str:
    try:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, env=dict(environ))
    except OSError as error:
        return str(error)
    return done.stdout or done.stderr
