"""Containers that run already, and a command in one of them on this process's own terminal: how `wsb shell` enters what an
IDE has started."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any, Final

import docker.errors

from builder.engine.attach import Pump, raw_terminal, signals, write_output
from builder.engine.base import ContainerInfo, ExecRequest
from builder.engine.calls import Client, socket_under, translated
from builder.engine.containers import without_command

_INTERRUPTED: Final = 130


def containers(api: Client, label: str) -> tuple[ContainerInfo, ...]:
    """Running containers that carry a label, newest first."""
    with translated("looking for containers"):
        found = api.containers(filters={"label": label, "status": "running"})
        newest = sorted(found, key=lambda one: one.get("Created", 0), reverse=True)
        return tuple(_info(api.inspect_container(one["Id"])) for one in newest)


def _info(found: dict[str, Any]) -> ContainerInfo:
    config = found.get("Config") or {}
    return ContainerInfo(
        id=str(found["Id"]),
        name=str(found.get("Name", "")).lstrip("/"),
        image=str(config.get("Image", "")),
        labels=dict(config.get("Labels") or {}),
        user=str(config.get("User") or ""),
    )


def enter(api: Client, request: ExecRequest) -> int:
    """The command's exit code. It ends with its terminal; the container goes on."""
    with translated(f"entering {request.container[:12]}"):
        try:
            exec_id = _created(api, request)
            stream = api.exec_start(exec_id, tty=request.has_tty, socket=True)  # held to the end: it owns the connection
        except docker.errors.APIError as error:
            return without_command(error, write_output)
        connection = socket_under(stream)
        try:
            with (
                signals(_Command(api, exec_id, connection), request.has_tty) as has_started,
                raw_terminal(request.has_tty and request.keeps_stdin),
            ):
                has_started()
                with suppress(BrokenPipeError):  # a reader or a window that went away: the command meets its end of input
                    Pump(connection, request).run()
        finally:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                stream.close()
        code = api.exec_inspect(exec_id).get("ExitCode")
        return _INTERRUPTED if code is None else int(code)


def _created(api: Client, request: ExecRequest) -> str:
    made = api.exec_create(
        request.container,
        list(request.command),
        stdin=request.keeps_stdin,
        tty=request.has_tty,
        user=request.user,
        workdir=request.workdir or None,
        environment=dict(request.env),
    )
    return str(made["Id"])


class _Command:
    """An engine passes no signal on to a command that was started beside a container's own: its input ends instead."""

    def __init__(self, api: Client, exec_id: str, connection: socket.socket) -> None:
        self._api = api
        self._exec_id = exec_id
        self._connection = connection

    def kill(self, name: str) -> None:
        del name
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def resize(self, size: os.terminal_size) -> None:
        self._api.exec_resize(self._exec_id, height=size.lines, width=size.columns)
