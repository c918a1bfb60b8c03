"""Builds and commands that are given up in the middle, from this side or from the engine's."""

from __future__ import annotations

import io
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from builder.engine.base import (
    BuildRequest,
    ContainerRequest,
    Event,
    StepOutput,
    StepStarted,
)
from builder.engine.docker_sdk import DockerEngine
from builder.errors import WsbError
from tests.engine.support import containers, processes, request
from tests.support.polling import eventually

pytestmark = pytest.mark.engine


def sleeping(tiny: str, seconds: str) -> str:
    return f"FROM {tiny}\nRUN echo started; sleep {seconds}\n"


@pytest.fixture
def cancels(engine: DockerEngine) -> None:
    if engine.info().kind == "podman":
        pytest.skip("Podman 4.3 notices that a build is given up, and lets the step that runs go on to its end")


def unique_seconds() -> str:
    return f"{80000 + secrets.randbelow(9000)}.{secrets.randbelow(10**6):06d}"


def test_ctrl_c_stops_the_step_on_the_engine(engine: DockerEngine, cancels: None, tiny: str, name: str) -> None:
    seconds = unique_seconds()
    script = (
        "import os, sys\n"
        "from builder.engine.docker_sdk import DockerEngine\n"
        "from tests.engine.support import request\n"
        "print_ = lambda event: print(event, flush=True)\n"
        "DockerEngine.connect(os.environ).build(request(sys.argv[1], sys.argv[2]), print_)\n"
    )
    command = [sys.executable, "-c", script, name, sleeping(tiny, seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert any("started" in line and "StepOutput" in line for line in process.stdout)
        assert f"sleep {seconds}" in processes(engine, tiny)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert f"sleep {seconds}" not in processes(engine, tiny)
    assert engine.image(name) is None


@pytest.mark.parametrize("reason", [KeyboardInterrupt, RuntimeError])
def test_whatever_ends_the_build_here_ends_it_there(
    engine: DockerEngine, cancels: None, tiny: str, name: str, reason: type[BaseException]
) -> None:
    seconds = unique_seconds()

    def listener(event: Event) -> None:
        if isinstance(event, StepOutput) and "started" in event.text:
            raise reason

    with pytest.raises(reason):
        engine.build(request(name, sleeping(tiny, seconds)), listener)
    assert f"sleep {seconds}" not in processes(engine, tiny)
    assert engine.image(name) is None


def test_ctrl_c_while_the_context_is_sent_ends_the_sending(engine: DockerEngine, name: str) -> None:
    is_reading = threading.Event()

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            is_reading.set()
            return bytes(size)

    def listener(event: Event) -> None:
        if isinstance(event, StepStarted):
            is_reading.wait(60)
            raise KeyboardInterrupt

    def context() -> BinaryIO:
        return Endless()  # type: ignore[return-value]

    with pytest.raises(KeyboardInterrupt):
        engine.build(BuildRequest(tag=name, context=context), listener)
    eventually(lambda: not [one for one in threading.enumerate() if one.name == "wsb-build"], "the sending thread ends")
    assert engine.image(name) is None


@contextmanager
def cuttable(tmp_path: Path, engine: DockerEngine) -> Iterator[tuple[DockerEngine, Callable[[], None]]]:
    """The engine behind a socket that can be cut in the middle."""
    endpoint = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not endpoint.startswith("unix://"):
        pytest.skip("needs an engine on a unix socket")
    ends: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listening.accept()
                    far = socket.socket(socket.AF_UNIX)
                    far.connect(endpoint.removeprefix("unix://"))
                    ends.extend((near, far))
                    for pair in ((near, far), (far, near)):
                        threading.Thread(target=pump, args=pair, daemon=True).start()

        def cut() -> None:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            for end in ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=accept, daemon=True).start()
        behind = DockerEngine.connect({"DOCKER_HOST": f"unix://{tmp_path}/s"})
        try:
            yield behind, cut
        finally:
            cut()
            behind.close()


def test_an_engine_that_goes_away_in_the_middle_is_one_clear_error(
    engine: DockerEngine, tiny: str, name: str, tmp_path: Path
) -> None:
    with cuttable(tmp_path, engine) as (behind, cut):

        def listener(event: Event) -> None:
            if isinstance(event, StepOutput):
                cut()

        with pytest.raises(WsbError) as caught:
            behind.build(
                request(name, f"FROM {tiny}\nRUN : {name}; echo started; for i in $(seq 1 20000); do : ; done\n"), listener
            )
    assert caught.value.code == "engine-lost"
    assert caught.value.message == f"the engine stopped answering while building {name}"


def test_an_engine_that_goes_away_while_a_command_runs_is_one_clear_error(
    engine: DockerEngine, tiny: str, tmp_path: Path, label: str
) -> None:
    wanted = ContainerRequest(image=tiny, command=["sh", "-c", "echo x; sleep 80000"], labels={"dev.wsb.test": label})
    with cuttable(tmp_path, engine) as (behind, cut), pytest.raises(WsbError) as caught:
        behind.run(wanted, lambda _: cut())
    assert caught.value.code == "engine-lost"
    for container in containers(engine, label):  # the lost connection could not remove it
        engine._api.remove_container(container, force=True)
