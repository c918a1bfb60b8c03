"""A registry on loopback, from Debian's docker-registry package, unpacked and never installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def running_registry() -> Iterator[str]:
    """Its address, such as 127.0.0.1:40123; engines take a registry on 127.0.0.0/8 without TLS. Skips without Debian."""
    with tempfile.TemporaryDirectory() as folder:
        program = _program(Path(folder))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        config = Path(folder, "config.yml")
        config.write_text(
            f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
            f"storage: {{filesystem: {{rootdirectory: '{folder}/storage'}}, delete: {{enabled: true}}}}\n"
        )
        log = Path(folder, "log")
        with log.open("wb") as out, subprocess.Popen([program, "serve", config], stdout=out, stderr=out) as process:
            try:
                _wait_for(f"http://{address}/v2/", process, log)
                yield address
            finally:
                process.terminate()


def _program(folder: Path) -> Path:
    for command in (["apt-get", "download", "docker-registry"], ["sh", "-c", "dpkg-deb -x docker-registry_*.deb ."]):
        if shutil.which(command[0]) is None:
            pytest.skip(f"needs {command[0]} to fetch Debian's docker-registry")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"cannot fetch Debian's docker-registry: {done.stderr.strip()}")
    return folder / "usr" / "bin" / "docker-registry"


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            direct.open(url, timeout=1).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.02)
    raise AssertionError(f"the registry did not start: {log.read_text()}")
