"""A container on this process's own terminal: what `wsb run` and `wsb shell` do.

Bytes go straight through in both directions and nothing is looked at; who wants to see the output as well is handed a copy
after it was written. With a terminal on both sides the local one is
switched to raw and its size is passed on; without one, signals are passed on and the end of the input is too.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final, Protocol

import docker.errors

from builder.engine.base import ContainerRequest, Output
from builder.engine.calls import BROKEN, Client, translated
from builder.engine.containers import Demultiplexer, attached, created, exit_code, stop, without_command

_BLOCK: Final = 1 << 16
_FORWARDED: Final = tuple(
    getattr(signal, f"SIG{name}") for name in ("INT", "TERM", "QUIT", "HUP") if hasattr(signal, f"SIG{name}")
)
_WOULD_BLOCK: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_PATIENCE: Final = 3  # as many interrupts as docker takes before it kills
_SIGPIPE: Final = 128 + 13  # what a shell reports of a program whose reader went away


def attach(api: Client, request: ContainerRequest, on_output: Callable[[bytes], None] | None = None) -> int:
    """The command's exit code, as docker reports it. The terminal is as it was before, whatever happens.

    on_output: gets what the command printed, once it is written.
    """

    def show(output: Output) -> None:
        write_output(output)
        if on_output is not None:
            on_output(output.data)

    with translated(f"running {request.image}"):
        try:
            with (
                created(api, request, has_stdin=request.keeps_stdin) as container,
                attached(api, container, has_stdin=request.keeps_stdin) as connection,
                signals(_Container(api, container), request.has_tty) as has_started,
                raw_terminal(request.has_tty and request.keeps_stdin),
            ):
                api.start(container)
                has_started()
                try:
                    Pump(connection, request, show).run()
                except BrokenPipeError:  # `wsb run … | head`, or a window that was closed: the command ends too
                    stop(api, container, connection)
                    return _SIGPIPE
                return exit_code(api, container)
        except docker.errors.APIError as error:
            return without_command(error, show)


class Streams(Protocol):
    """What of a request the pump looks at."""

    @property
    def has_tty(self) -> bool: ...

    @property
    def keeps_stdin(self) -> bool: ...


class Target(Protocol):
    """What signals and the terminal's size are for."""

    def kill(self, name: str) -> None: ...

    def resize(self, size: os.terminal_size) -> None: ...


class _Container:
    def __init__(self, api: Client, container: str) -> None:
        self._api = api
        self._container = container

    def kill(self, name: str) -> None:
        self._api.kill(self._container, name)

    def resize(self, size: os.terminal_size) -> None:
        self._api.resize(self._container, height=size.lines, width=size.columns)


class Pump:
    """Carries bytes between this process's streams and the connection until the container closes it."""

    def __init__(self, connection: socket.socket, request: Streams, show: Callable[[Output], None] | None = None) -> None:
        """show: where output goes, to this process's own streams by default."""
        self._connection = connection
        self._show = show or write_output
        self._demultiplexer = None if request.has_tty else Demultiplexer()
        self._stdin = sys.stdin.fileno() if request.keeps_stdin and sys.stdin and not sys.stdin.closed else None
        self._has_terminal = request.has_tty and self._stdin is not None and os.isatty(self._stdin)
        self._unsent = b""
        connection.setblocking(False)

    def run(self) -> None:
        while True:
            # no input is read before the last is sent: a command that reads slowly must not stop its own output
            reading: list[Any] = [self._connection]
            if self._stdin is not None and not self._unsent:
                reading.append(self._stdin)
            writing = [self._connection] if self._unsent else []
            readable, writable, _ = select.select(reading, writing, [])
            if self._connection in readable and not self._receive():
                return
            if writable:
                self._send()
            if self._stdin in readable:
                self._read()

    def _receive(self) -> bool:
        """Pass output on; False at its end."""
        try:
            data = self._connection.recv(_BLOCK)
            if isinstance(self._connection, ssl.SSLSocket):
                # what is decrypted already does not wake select
                while waiting := self._connection.pending():
                    data += self._connection.recv(waiting)
        except _WOULD_BLOCK:
            return True
        except ConnectionResetError:  # the engine closed with input of ours unread
            return False
        if self._demultiplexer is None:
            self._show(Output(False, data))
        else:
            for output in self._demultiplexer.feed(data):
                self._show(output)
        return bool(data)

    def _read(self) -> None:
        assert self._stdin is not None
        try:
            self._unsent = os.read(self._stdin, _BLOCK)
        except OSError:
            self._unsent = b""
        if self._unsent:
            self._send()
        elif self._has_terminal:
            # a raw terminal passes Ctrl-D on as a key: its end means that its window is gone
            raise BrokenPipeError
        else:
            self._stdin = None
            with suppress(OSError):
                _end_of_input(self._connection)

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except _WOULD_BLOCK:
            return
        except (BrokenPipeError, ConnectionResetError):  # the command is gone; its output may still come
            self._unsent, self._stdin = b"", None


def _end_of_input(connection: socket.socket) -> None:
    """Half-close, so that `echo x | wsb run -- cat` ends."""
    if isinstance(connection, ssl.SSLSocket):
        # the base class's: its own would drop the encryption of what is still to be received
        socket.socket.shutdown(connection, socket.SHUT_WR)
    else:
        connection.shutdown(socket.SHUT_WR)


def write_output(output: Output) -> None:
    _write(2 if output.is_stderr else 1, output.data)


def _write(descriptor: int, data: bytes) -> None:
    """All of it, also where the descriptor was made non-blocking by someone else."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
        except OSError as error:  # a pipe without a reader, or a terminal that went away
            raise BrokenPipeError from error


@contextmanager
def raw_terminal(is_wanted: bool) -> Iterator[None]:
    """Keys reach the container as they are pressed, Ctrl-C among them."""
    if not is_wanted or not sys.stdin or not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        yield
    finally:
        # now, not after draining: output that nobody reads any more must not hold the shell up
        with suppress(termios.error):  # its window is gone
            termios.tcsetattr(descriptor, termios.TCSANOW, before)


@contextmanager
def signals(target: Target, has_tty: bool) -> Iterator[Callable[[], None]]:
    """Signals, and changes of the terminal's size, go to the target while the body runs.

    The value is to be called once it has started; until then a signal ends the attempt. The calls to the engine are made
    by a thread, since a handler may interrupt another one in its middle.
    """
    window = getattr(signal, "SIGWINCH", -1) if has_tty else -1
    arrived: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    is_running = threading.Event()

    def handler(number: int, _: FrameType | None) -> None:
        if is_running.is_set() or number == window:
            arrived.put(number)
        else:
            raise KeyboardInterrupt

    def has_started() -> None:
        is_running.set()
        if has_tty:
            arrived.put(window)

    before = {number: signal.signal(number, handler) for number in (*_FORWARDED, *([window] if has_tty else []))}
    _start_deaf(threading.Thread(target=_carry, args=(target, arrived, window), name="wsb-signals", daemon=True))
    try:
        yield has_started
    finally:
        for number, was in before.items():
            signal.signal(number, was)
        arrived.put(None)


def _start_deaf(thread: threading.Thread) -> None:
    """Start a thread that takes no signals: one that the kernel gives it would not end the main thread's wait, and be lost."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _carry(target: Target, arrived: queue.SimpleQueue[int | None], window: int) -> None:
    """Passes on what arrives until None does."""
    interrupts = 0
    while (number := arrived.get()) is not None:
        with suppress(*BROKEN, docker.errors.DockerException):  # it may have ended a moment ago
            if number != window:
                interrupts += number in (signal.SIGINT, signal.SIGTERM)
                target.kill("SIGKILL" if interrupts >= _PATIENCE else signal.Signals(number).name)
            elif size := _terminal_size():
                target.resize(size)


def _terminal_size() -> os.terminal_size | None:
    for descriptor in (1, 0, 2):
        with suppress(OSError):
            return os.get_terminal_size(descriptor)
    return None
