"""One container for one command: what the engine is asked to create, its output taken apart, and its sure removal."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import docker.errors
import docker.utils
import requests.exceptions

from builder.engine.base import TIMED_OUT, ContainerRequest, Output
from builder.engine.calls import BROKEN, Client, socket_under, translated
from builder.engine.stream import Clock
from builder.threads import start_deaf

_BLOCK: Final = 1 << 16
_STOP_S: Final = 5
_HEADER: Final = 8
_NOT_FOUND: Final = re.compile(r"executable file not found|no such file or directory.*: unknown|exec: .*: not found", re.DOTALL)
_NOT_RUNNABLE: Final = re.compile(r"exec: .*(?:permission denied|is a directory|exec format error)", re.DOTALL)


class Demultiplexer:
    """Takes apart what an engine sends of a container without a terminal: frames of stream, length and bytes."""

    def __init__(self) -> None:
        self._header = b""
        self._left = 0
        self._is_stderr = False

    def feed(self, data: bytes) -> Iterator[Output]:
        """The output in this piece of the connection; frames may be cut anywhere."""
        while data:
            if self._left:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                yield Output(is_stderr=self._is_stderr, data=piece)
                continue
            wanted = _HEADER - len(self._header)
            self._header, data = self._header + data[:wanted], data[wanted:]
            if len(self._header) == _HEADER:
                self._is_stderr = self._header[0] == 2
                self._left = int.from_bytes(self._header[4:], "big")
                self._header = b""


def run(
    api: Client,
    request: ContainerRequest,
    on_output: Callable[[Output], None],
    timeout_s: float | None,
    clock: Clock,
) -> int:
    """The exit code of the command, TIMED_OUT when it was killed for its time. It gets no standard input."""
    end = None if timeout_s is None else clock() + timeout_s
    with translated(f"running {request.image}"):
        try:
            with (
                created(api, request, has_stdin=False) as container,
                attached(api, container, has_stdin=False) as connection,
            ):
                api.start(container)
                return _follow(api, container, connection, request.has_tty, on_output, end, clock)
        except docker.errors.APIError as error:
            return without_command(error, on_output)


def _follow(
    api: Client,
    container: str,
    connection: socket.socket,
    has_tty: bool,
    on_output: Callable[[Output], None],
    end: float | None,
    clock: Clock,
) -> int:
    try:
        _pump(connection, has_tty, on_output, end, clock)
        return exit_code(api, container, None if end is None else max(0.1, end - clock()))
    except TimeoutError:
        return TIMED_OUT
    except KeyboardInterrupt:
        stop(api, container, connection)
        raise


def stop(api: Client, container: str, connection: socket.socket) -> None:
    """Ask the command to end, and end it when it does not."""
    # first: the engine waits for all output to be taken before it calls a container ended
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(*BROKEN, docker.errors.DockerException):
        api.stop(container, timeout=_STOP_S)


@contextmanager
def created(api: Client, request: ContainerRequest, *, has_stdin: bool) -> Iterator[str]:
    """A container that exists in the body and never after it. The value is its id."""
    container: str = api.create_container_from_config(config(request, has_stdin=has_stdin), request.name or None)["Id"]
    try:
        yield container
    finally:
        # in a thread that is no daemon: a second Ctrl-C ends the wait for it, not the removal
        removal = threading.Thread(target=_remove, args=(api, container), name="wsb-remove")
        start_deaf(removal)
        removal.join()


@contextmanager
def attached(api: Client, container: str, *, has_stdin: bool) -> Iterator[socket.socket]:
    """The connection that carries a container's streams; opened before it starts, so that not a byte is missed."""
    params = {"stdout": 1, "stderr": 1, "stream": 1, "stdin": int(has_stdin)}
    stream = api.attach_socket(container, params=params)  # held to the end: it owns the connection
    connection = socket_under(stream)
    try:
        yield connection
    finally:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            stream.close()


def without_command(error: docker.errors.APIError, on_output: Callable[[Output], None]) -> int:
    """The exit code a shell gives for a command that the image does not have (127) or that cannot be run (126).

    Docker says so at the start, Podman when it is attached to. Raises the error again when it is about something else.
    """
    text = str(error.explanation)
    code = 127 if _NOT_FOUND.search(text) else 126 if _NOT_RUNNABLE.search(text) else None
    if code is None:
        raise error
    on_output(Output(is_stderr=True, data=f"wsb: {text.strip()}\n".encode()))
    return code


def exit_code(api: Client, container: str, timeout_s: float | None = None) -> int:
    """Wait for the end. Raises TimeoutError."""
    try:
        return int(api.wait(container, timeout=timeout_s)["StatusCode"])
    except requests.exceptions.ReadTimeout:
        raise TimeoutError from None
    except requests.exceptions.ConnectionError as error:
        if "timed out" in str(error).lower():
            raise TimeoutError from None
        raise


def _pump(
    connection: socket.socket, has_tty: bool, on_output: Callable[[Output], None], end: float | None, clock: Clock
) -> None:
    """Output until the container closes it. Raises TimeoutError at the end of its time."""
    demultiplexer = Demultiplexer()
    while True:
        # never 0, which would mean "do not wait at all" in another way
        connection.settimeout(None if end is None else max(0.001, end - clock()))
        data = connection.recv(_BLOCK)
        if not data:
            return
        for output in [Output(is_stderr=False, data=data)] if has_tty else demultiplexer.feed(data):
            on_output(output)


def _remove(api: Client, container: str) -> None:
    with suppress(*BROKEN, docker.errors.DockerException):  # gone already, or the engine is: nothing left to do
        api.remove_container(container, force=True, v=True)


def config(request: ContainerRequest, *, has_stdin: bool) -> dict[str, Any]:
    """The body of POST /containers/create."""
    body: dict[str, Any] = {
        "Image": request.image,
        "Cmd": list(request.command),
        "User": request.user,
        "WorkingDir": request.workdir,
        "Env": [f"{key}={value}" for key, value in sorted(request.env.items())],
        "Labels": dict(request.labels),
        "Tty": request.has_tty,
        "OpenStdin": has_stdin,
        "StdinOnce": has_stdin,
        "AttachStdin": has_stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": {f"{inside}/tcp": {} for inside, _ in request.ports},
        "HostConfig": _host_config(request),
    }
    if request.entrypoint is not None:
        body["Entrypoint"] = list(request.entrypoint)
    return body


def _host_config(request: ContainerRequest) -> dict[str, Any]:
    host: dict[str, Any] = {
        "Init": request.init,
        # its output comes over the connection and the container does not outlive it: no second copy on the engine's disk
        "LogConfig": {"Type": "none", "Config": {}},
        "GroupAdd": list(request.groups),
        "Mounts": [_mount(*mount) for mount in request.mounts],
        # on loopback only: a notebook is nobody's business but this machine's
        "PortBindings": {
            f"{inside}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port or "")}] for inside, port in request.ports
        },
        "DeviceRequests": [dict(one) for one in request.device_requests],
        "Devices": [{"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"} for path in request.devices],
    }
    if request.shm_size:
        host["ShmSize"] = docker.utils.parse_bytes(request.shm_size)
    if request.network:
        host["NetworkMode"] = request.network
    if request.runtime:
        host["Runtime"] = request.runtime
    return host


def _mount(source: str, target: str, is_read_only: bool) -> Mapping[str, Any]:
    """A folder of the host when the source is a path, else a volume. Unlike `-v`, a missing folder is an error."""
    kind = "bind" if source.startswith("/") else "volume"
    return {"Type": kind, "Source": source, "Target": target, "ReadOnly": is_read_only}
