"""An engine behind ssh://, brought here as a socket: OpenSSH forwards it, with the user's own keys, names and jump hosts.

The SDK's own ssh needs another library, and does not carry the streams of a running container; through a forwarded socket
everything works as it does with a local engine. The tunnel lives as long as its standard input is open, so it ends with wsb
however wsb ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

USUAL_SOCKET: Final = "/var/run/docker.sock"
_PATIENCE_S: Final = 60.0  # a person may have to type a passphrase
_READY: Final = b"wsb-tunnel-is-there"


class NoTunnel(Exception):
    """ssh did not bring the socket here; the text is its own words."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """socket: where the engine answers on this machine."""

    socket: Path
    process: subprocess.Popen[bytes]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def dig(address: str) -> Tunnel:
    """A tunnel to ssh://[user@]host[:port][/socket]. Raises NoTunnel."""
    folder = Path(tempfile.mkdtemp(prefix="wsb-ssh-"))
    socket = folder / "docker.sock"
    errors = folder / "errors"
    try:
        with errors.open("wb") as file:
            process = subprocess.Popen(
                command(address, socket),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                preexec_fn=_ignore_ctrl_c if os.name == "posix" else None,
            )
    except FileNotFoundError:
        shutil.rmtree(folder)
        raise NoTunnel("the program ssh is not installed here") from None
    assert process.stdout is not None
    impatience = threading.Timer(_PATIENCE_S, process.kill)
    impatience.start()
    try:
        is_there = any(_READY in line for line in iter(process.stdout.readline, b""))
    finally:
        impatience.cancel()
    tunnel = Tunnel(socket, process)
    if not is_there:
        said = errors.read_text("utf-8", "replace").strip()
        tunnel.close()
        raise NoTunnel(said or f"no answer within {_PATIENCE_S:.0f} s")
    return tunnel


def _ignore_ctrl_c() -> None:
    """Ctrl-C is for the command in the container, and what stops that one goes through the tunnel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)


def command(address: str, socket: Path) -> list[str]:
    """The words for ssh: forward the socket, say so, stay until nobody speaks any more."""
    url = urlsplit(address)
    words = ["ssh", "-T", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=30"]
    words += ["-p", str(url.port)] if url.port else []
    host = f"{url.username}@{url.hostname}" if url.username else str(url.hostname)
    # at the end its server is ended too, which would wait as long as a container's streams are open
    stay = f"exec sh -c 'echo {_READY.decode()}; cat >/dev/null; kill $PPID'"
    return [*words, "-L", f"{socket}:{url.path or USUAL_SOCKET}", "--", host, stay]
