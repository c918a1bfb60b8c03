"""A builder of docker buildx that is not the engine's own, without an image of BuildKit: that in a dockerd, by a side door.

dockerd speaks BuildKit's own protocol at /grpc of its socket. A socket that opens this door for whoever connects is what the
driver `remote` of buildx wants; it knows no better then than that the builder has a store of its own.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.private_engine import PrivateEngine

_OPEN = b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


@contextmanager
def remote_builder(engine: PrivateEngine) -> Iterator[str]:
    """The builder's name, for `docker buildx --builder`, in the environment of this engine."""
    name = f"wsbtest-{secrets.token_hex(4)}"
    place = engine.socket.with_name(f"{name}.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()
        threading.Thread(target=_accept, args=(listening, str(engine.socket)), name="grpc", daemon=True).start()
        try:
            _buildx(engine, "create", "--driver=remote", f"--name={name}", f"unix://{place}")
            yield name
        finally:
            _buildx(engine, "rm", name)
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # ends accept()


def _buildx(engine: PrivateEngine, *words: str) -> None:
    subprocess.run(["docker", "buildx", *words], check=True, capture_output=True, env=dict(engine.environ))


def _accept(listening: socket.socket, target: str) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_join, args=(client, target), name="grpc", daemon=True).start()


def _join(client: socket.socket, target: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as engine, suppress(OSError):
        engine.connect(target)
        engine.sendall(_OPEN)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += engine.recv(1) or b"\r\n\r\n"
        back = threading.Thread(target=_copy, args=(engine, client), name="grpc", daemon=True)
        back.start()
        _copy(client, engine)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
