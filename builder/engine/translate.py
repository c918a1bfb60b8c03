"""What engines say when something goes wrong, in wsb's own errors; the one place that knows their wording.

Plain text comes in, from a response, an exception or the stream of a build; a WsbError goes out, with the next step in its
hints. Nothing here raises or speaks to an engine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final

from builder.engine.base import BuildFailed
from builder.engine.stream import Failure
from builder.errors import WsbError

_DISK_FULL: Final = re.compile(r"no space left on device|disk quota exceeded|not enough free space", re.IGNORECASE)

# dockerd, BuildKit and Podman, when an image is not local and its registry does not give it
_BASE: Final = re.compile(
    r"pull access denied|no active sessions|failed to resolve source metadata|failed to do request|/v2/"
    r"|manifest unknown|manifest for \S+ not found|manifest tagged by|repository \S+ not found|initializing source docker://"
    r"|short-name \S+ did not resolve|unauthorized: |toomanyrequests|error pulling image",
    re.IGNORECASE,
)
_NOT_FOR_THIS_PLATFORM: Final = re.compile(
    r"no (?:matching manifest|image found in manifest list|match for platform)", re.IGNORECASE
)
_REGISTRY: Final = re.compile(r"https?://([^/\"\s]+)/v2/")
# moby#47717: with the containerd image store, engines before Docker 28 cannot read a context that is sent with the request
_CONTEXT_LOST: Final = re.compile(r"failed to read downloaded context|lookup build-context-")
_LOAD_METADATA: Final = re.compile(r"\[internal\] load metadata for (\S+)")

# one line a program: what it prints when it cannot reach a host
_UNREACHABLE: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"[Cc]ould not resolve host(?:name)?:? \[?(?:https?://)?(?P<host>[\w.-]+)",  # curl, git, micromamba
        r"Failed to connect to (?P<host>[\w.-]+) port",  # curl
        r"Could not (?:resolve|connect to) '?(?P<host>[\w.-]+)",  # apt
        r"unable to resolve host address [‘'`](?P<host>[\w.-]+)",  # wget
        r"CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https?://(?P<host>[\w.-]+)",  # conda
        r"HTTPS?ConnectionPool\(host='(?P<host>[\w.-]+)', port=\d+\): (?:Max retries exceeded|Read timed out)",  # pip
        r"error sending request for url \(https?://(?P<host>[\w.-]+)",  # uv
    )
)

_REFUSALS: Final = (
    (
        # Docker 20 to 29 and nvidia-container-toolkit, with and without CDI
        re.compile(
            r"could not select device driver|CDI device injection failed|CDI registry initialization|AMD CDI spec not found"
            r"|failed to discover GPU vendor|nvidia-container-cli|nvidia-container-runtime|unknown or invalid runtime name"
            r"|error gathering device information while adding custom device"
        ),
        "gpu-refused",
        "the engine cannot hand a GPU to the container",
        "`--gpus none` runs without one; `wsb doctor` shows which link between the GPU and this engine is missing",
    ),
    (
        re.compile(r"no such image|image not known", re.IGNORECASE),
        "image-missing",
        "the engine does not hold the image it needs",
        "`wsb build` makes it",
    ),
    (
        re.compile(r"port is already allocated|address already in use"),
        "engine-refused",
        "a port of the workspace is taken",
        "choose another one under `run: ports:` in wsb.yaml, or stop what listens there",
    ),
    (
        re.compile(r"bind source path does not exist"),
        "engine-refused",
        "a folder to be mounted does not exist",
        "make the folder, or correct `run: mounts:` in wsb.yaml",
    ),
)

HINT_FALLBACK: Final = "`wsb build --fallback` takes another way by itself where a source cannot be reached, and says so"


class Seen(Enum):
    """What can be seen of an engine that does not answer."""

    NO_SOCKET = "its socket file does not exist, so Docker is not installed or has not been started"
    REFUSED = "nobody listens there: the engine is not running"
    DENIED = "this user may not open its socket"
    NO_HOST = "its host cannot be reached"
    SILENT = "it took the connection but gave no answer"
    UNKNOWN = "what it says is below"


_INSTALL: Final = (
    "not installed? Debian, Ubuntu: `sudo apt-get install docker.io`; macOS, Windows with WSL: install Docker Desktop"
)
_START: Final = (
    "not running? Linux: `sudo systemctl start docker`; rootless: `systemctl --user start docker`; "
    "macOS, Windows with WSL: start Docker Desktop"
)
_PERMIT: Final = "no permission? `sudo usermod -aG docker $USER`, then log in again; or use rootless Docker"
_ELSEWHERE: Final = "somewhere else? set DOCKER_HOST, or choose it with `docker context use`"

_HINTS: Final = {
    Seen.NO_SOCKET: (_INSTALL, _START, _PERMIT, _ELSEWHERE),
    Seen.REFUSED: (_START, _INSTALL, _PERMIT, _ELSEWHERE),
    Seen.DENIED: (_PERMIT, _START, _INSTALL, _ELSEWHERE),
    Seen.NO_HOST: (_ELSEWHERE, _START, _INSTALL, _PERMIT),
    Seen.SILENT: (_START, _ELSEWHERE, _INSTALL, _PERMIT),
    Seen.UNKNOWN: (_START, _INSTALL, _PERMIT, _ELSEWHERE),
}


def unreachable(endpoint: str, seen: Seen, text: str = "", others: Sequence[str] = ()) -> WsbError:
    """No engine answers. text: the words of the system or the SDK, if any. others: sockets that exist elsewhere."""
    hints = [f"an engine's socket is at {path}: `export DOCKER_HOST=unix://{path}`" for path in others]
    if "paramiko" in text:
        hints.append("an engine behind ssh:// needs one more package: `pip install 'docker[ssh]'`")
    return WsbError(
        "engine-unreachable",
        f"no container engine answers at {endpoint}",
        details=[seen.value, text] if text else [seen.value],
        hints=[*hints, *_HINTS[seen]],
    )


def too_old(version: str, api_version: str, needed: str) -> WsbError:
    return WsbError(
        "engine-too-old",
        f"this engine is too old: version {version}, API {api_version}",
        details=[f"wsb needs API {needed}, which came with Docker 19.03 and Podman 3"],
        hints=["install a newer Docker: https://docs.docker.com/engine/install/"],
    )


def lost(doing: str, text: str = "") -> WsbError:
    """The connection broke. doing: what was under way, such as "building wsb/mnist"."""
    return WsbError(
        "engine-lost",
        f"the engine stopped answering while {doing}",
        details=[text] if text else [],
        hints=["look at what it says itself: `journalctl -u docker -n 50`, or Docker Desktop's window; then run again"],
    )


def refused(doing: str, text: str, status: int = 0) -> WsbError:
    """The engine answered with an error. status: the HTTP status, 0 when it came inside a stream."""
    if _DISK_FULL.search(text):
        return disk_full(doing, text)
    for pattern, code, message, hint in _REFUSALS:
        if pattern.search(text):
            return WsbError(code, f"{message} while {doing}", details=text.splitlines(), hints=[hint])
    answer = f"the engine refused while {doing}" + (f" (HTTP {status})" if status else "")
    return WsbError("engine-refused", answer, details=text.splitlines())


def disk_full(doing: str, text: str) -> WsbError:
    return WsbError(
        "disk-full",
        f"no space left on device while {doing}",
        details=text.splitlines()[-3:],
        hints=["`wsb prune` removes what no workspace uses; `docker system df` shows what takes the space"],
    )


def base_unreachable(image: str, text: str) -> WsbError:
    """An image could be had neither from the engine nor from its registry."""
    if _NOT_FOR_THIS_PLATFORM.search(text):
        hints = ["name a base that is made for this platform, or build with another `--platform`"]
        return WsbError("no-such-base", f"{image} is not made for this platform", details=[text], hints=hints)
    if _DISK_FULL.search(text):
        return disk_full(f"pulling {image}", text)
    found = _REGISTRY.search(text)
    host = found[1] if found else registry_of(image)
    hints = [
        HINT_FALLBACK,
        "without a registry: `base: {bootstrap: bookworm}` in wsb.yaml makes the base from Debian's packages",
    ]
    if re.search(r"denied|unauthorized|not found|manifest unknown|toomanyrequests", text):
        hints.insert(
            0, f"is the name right? a private image, or a limit on pulls, needs `docker login {registry_of(image)}` first"
        )
    return WsbError("base-unreachable", f"cannot get the image {image} from {host}", details=[text], hints=hints)


def push_refused(reference: str, text: str) -> WsbError:
    """A registry, or the engine on the way to it, did not take an image."""
    host = registry_of(reference)
    hints = [f"who may push there? `docker login {host}`; a repository may have to be made in its web page first"]
    if re.search(r"http: server gave HTTP response to HTTPS client|x509|certificate", text):
        hints = [
            f"{host} has no certificate this engine trusts: see `insecure-registries` or /etc/docker/certs.d/{host}/ca.crt"
        ]
    return WsbError("registry-refused", f"cannot push {reference} to {host}", details=text.splitlines()[-3:], hints=hints)


def build_failure(tag: str, failure: Failure) -> WsbError:
    """The error for a build that the engine gave up. tag: what was to be built."""
    text = "\n".join((failure.message, *failure.output))
    if _DISK_FULL.search(text):
        return disk_full(f"building {tag}", text)
    if _CONTEXT_LOST.search(text):
        return context_lost(text)
    metadata = _LOAD_METADATA.search(failure.step_name)
    if failure.exit_code is None and (metadata or _BASE.search(failure.message)):
        return base_unreachable(metadata[1] if metadata else _image_in(failure), failure.message)
    if not failure.step_name:
        return BuildFailed("build-failed", "the build failed before its first step", details=failure.message.splitlines())
    how = f"with exit code {failure.exit_code}" if failure.exit_code is not None else "in the engine"
    hints = [_needs_buildkit()] if "requires BuildKit" in failure.message else []
    details = failure.output or tuple(failure.message.splitlines())
    host = unreachable_host(failure.output) if failure.exit_code else ""
    return BuildFailed(
        "source-unreachable" if host else "build-failed",
        f"a step failed because {host} cannot be reached" if host else f"a step failed {how}",
        details=(_short(failure.step_name), *details),
        hints=[HINT_FALLBACK, *hints] if host else hints,
        step_name=failure.step_name,
        step_exit_code=failure.exit_code,
        host=host,
    )


def context_lost(text: str) -> WsbError:
    """An engine with a fault that Docker 28 mended."""
    return WsbError(
        "engine-too-old",
        "with its containerd image store this engine cannot take a build through its API; Docker 28 and newer can",
        details=text.splitlines()[-3:],
        hints=[
            "install a newer Docker: https://docs.docker.com/engine/install/",
            "or build through docker buildx: `wsb build --builder default`",
            'or switch that store off in /etc/docker/daemon.json: {"features": {"containerd-snapshotter": false}}',
        ],
    )


def unreachable_host(output: tuple[str, ...]) -> str:
    """The host that a program said it cannot reach, the last one it named; "" when it said no such thing."""
    for line in reversed(output):
        for pattern in _UNREACHABLE:
            found = pattern.search(line)
            if found:
                return found["host"]
    return ""


def registry_of(image: str) -> str:
    """The registry that an image reference names, docker.io when it names none."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _image_in(failure: Failure) -> str:
    """The image a FROM or COPY --from step was about, else what the message names."""
    found = re.search(r"\bFROM (?:--platform=\S+ )?(\S+)", failure.step_name) or re.search(
        r"(?:access denied for|metadata for|manifest for|docker://|failed to resolve|short-name) \"?([\w./:@-]+\w)",
        failure.message,
    )
    return found[1] if found else "that the build needs"


def _short(step_name: str) -> str:
    """Its first words: BuildKit joins a RUN of many lines into one."""
    line = " ".join(step_name.split())
    return line if len(line) <= 160 else line[:159] + "…"


def _needs_buildkit() -> str:
    return "this engine answers with its classic builder; wsb needs BuildKit: Docker 20.10 or newer, or Podman 4 or newer"
