"""Finding the engine, and saying what can be seen when none answers. No engine is needed: sockets are the test's own."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from builder.engine.connect import connect
from builder.errors import WsbError


@pytest.fixture(autouse=True)
def short_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from the user's own docker settings; relative paths keep the sockets' names short."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def answering(path: Path, body: dict[str, object] | None) -> Iterator[None]:
    """An engine on a socket that gives every request the same answer, or none at all."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    if body is not None and connection.recv(65536):
                        text = json.dumps(body).encode()
                        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
                        connection.sendall(head.encode() + text)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def refused(environ: dict[str, str]) -> WsbError:
    with pytest.raises(WsbError) as caught:
        connect(environ)
    return caught.value


def test_an_absent_socket_means_not_installed_or_not_started(tmp_path: Path) -> None:
    error = refused({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert error.code == "engine-unreachable"
    assert error.message == f"no container engine answers at unix://{tmp_path}/none.sock"
    assert "does not exist" in error.details[0]
    assert error.hints[0].startswith("not installed?")


def test_a_socket_nobody_listens_at_means_not_running(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    error = refused({"DOCKER_HOST": f"unix://{path}"})
    assert "not running" in error.details[0]
    assert error.hints[0].startswith("not running?")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become a user without permission")
def test_a_forbidden_socket_means_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "s"
    tmp_path.chmod(0o700)
    with answering(path, {}):
        child = os.fork()
        if child == 0:  # what is imported already can be used by a user who may read nothing
            os.setgroups([])
            os.setuid(65534)
            try:
                connect({"DOCKER_HOST": f"unix://{path}"})
            except WsbError as error:
                os._exit(0 if "may not open" in error.details[0] and error.hints[0].startswith("no permission?") else 2)
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_server_that_is_no_engine_is_unreachable(tmp_path: Path) -> None:
    with answering(tmp_path / "s", None):
        error = refused({"DOCKER_HOST": f"unix://{tmp_path}/s"})
    assert error.code == "engine-unreachable"
    assert len(error.details) == 2


def test_an_engine_of_2018_is_too_old(tmp_path: Path) -> None:
    with answering(tmp_path / "s", {"Version": "18.06.1-ce", "ApiVersion": "1.38"}):
        error = refused({"DOCKER_HOST": f"unix://{tmp_path}/s"})
    assert error.code == "engine-too-old"
    assert "18.06.1-ce" in error.message


def test_api_1_40_is_not_older_than_1_5(tmp_path: Path) -> None:
    with answering(tmp_path / "s", {"Version": "19.03", "ApiVersion": "1.40"}):
        connect({"DOCKER_HOST": f"unix://{tmp_path}/s"}).close()


def test_a_port_nobody_listens_at_is_not_running() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = refused({"DOCKER_HOST": f"tcp://127.0.0.1:{port}"})
    assert error.message == f"no container engine answers at tcp://127.0.0.1:{port}"
    assert "not running" in error.details[0]


def test_a_host_that_makes_no_sense_is_unreachable() -> None:
    assert refused({"DOCKER_HOST": "carrier-pigeon://x"}).code == "engine-unreachable"


def write_context(folder: Path, name: str, host: str) -> None:
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    content = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (meta / "meta.json").write_text(json.dumps(content))


def test_the_current_docker_context_is_used(tmp_path: Path) -> None:
    write_context(tmp_path / "config", "mine", f"unix://{tmp_path}/s")
    (tmp_path / "config" / "config.json").write_text('{"currentContext": "mine"}')
    with answering(tmp_path / "s", {"Version": "28.0", "ApiVersion": "1.48"}):
        api = connect({"HOME": str(tmp_path)})
    assert api.api_version == "1.48"


def test_a_context_named_in_the_environment_goes_before_the_current_one(tmp_path: Path) -> None:
    write_context(tmp_path / "config", "mine", f"unix://{tmp_path}/absent")
    write_context(tmp_path / "config", "other", f"unix://{tmp_path}/s")
    (tmp_path / "config" / "config.json").write_text('{"currentContext": "mine"}')
    with answering(tmp_path / "s", {"Version": "28.0", "ApiVersion": "1.48"}):
        assert connect({"DOCKER_CONTEXT": "other"}).api_version == "1.48"


def test_docker_host_goes_before_every_context(tmp_path: Path) -> None:
    write_context(tmp_path / "config", "mine", f"unix://{tmp_path}/absent")
    with answering(tmp_path / "s", {"Version": "28.0", "ApiVersion": "1.48"}):
        connect({"DOCKER_CONTEXT": "mine", "DOCKER_HOST": f"unix://{tmp_path}/s"}).close()


def test_a_context_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.json").write_text("{}")
    error = refused({"DOCKER_CONTEXT": "gone"})
    assert error.code == "engine-unreachable"
    assert "gone" in error.details[1]


def test_a_socket_elsewhere_is_offered(tmp_path: Path) -> None:
    (tmp_path / "podman").mkdir()
    with answering(tmp_path / "podman" / "podman.sock", {}):
        error = refused({"DOCKER_HOST": f"unix://{tmp_path}/none", "XDG_RUNTIME_DIR": str(tmp_path)})
    assert any(str(tmp_path / "podman" / "podman.sock") in hint for hint in error.hints)
