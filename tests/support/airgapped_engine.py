"""A Docker engine of a test's own, without any network: its own namespace with nothing but loopback in it, its own data.

What is asked through `inside` runs in the same namespace, so that neither wsb nor a build's steps can reach anything.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

START_LIMIT_S = 120.0


@dataclass(frozen=True)
class PrivateEngine:
    """host: for DOCKER_HOST. inside: words that, put before a command, run it in the engine's network namespace."""

    host: str
    inside: tuple[str, ...]


@contextmanager
def engine_without_network() -> Iterator[PrivateEngine]:
    """Skips where one cannot be made: it takes root and a dockerd of this machine."""
    for tool in ("dockerd", "unshare", "nsenter", "ip"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool} for an engine without network")
    if os.geteuid() != 0:
        pytest.skip("an engine in a network namespace of its own needs root")
    with tempfile.TemporaryDirectory(prefix="wsb-engine-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        sock = place / "docker.sock"
        command = (
            f"ip link set lo up; exec dockerd --data-root {place}/data --exec-root {place}/exec --pidfile {place}/pid"
            f" --host unix://{sock} --bridge=none --iptables=false --ip6tables=false"
        )
        log = place / "log"
        with log.open("wb") as out:
            # a session of its own, so that Ctrl-C at the tests does not end it before its containers
            process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", command],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            _wait_for(sock, process, log)
            yield PrivateEngine(f"unix://{sock}", ("nsenter", f"--net=/proc/{process.pid}/ns/net"))
        finally:
            process.terminate()
            process.wait(60)
            for mount in sorted(_mounts_below(place), reverse=True):
                subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)


def _mounts_below(place: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split(" ")[1] for line in lines if line.split(" ")[1].startswith(f"{place}/")]


def _wait_for(sock: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(str(sock))
                client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                if b"200" in client.recv(64):
                    return
        except OSError:
            time.sleep(0.1)  # polling a starting daemon, with a deadline
    raise AssertionError(f"the private engine did not start: {log.read_text()[-2000:]}")
