"""A Docker engine for a machine that has none: says what it installs, installs it, starts it, waits until it answers.

Only the standard library, so that it runs before anything is installed: `python3 tests/support/engine.py [--mmdebstrap]`.
Debian and Ubuntu as root; anywhere else it says what to do.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

SOCKET = Path("/var/run/docker.sock")
LOG = Path("/var/log/wsb-dockerd.log")
START_LIMIT_S = 120.0


def answers() -> bool:
    """Whether an engine answers, where the environment says one is, or at the usual socket."""
    if os.environ.get("DOCKER_HOST"):
        return True  # somebody chose one; whether it is well is for wsb to say
    return answers_at(SOCKET)


def answers_at(path: Path) -> bool:
    """Whether an engine answers at this socket."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(path))
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b"200" in client.recv(64)
    except OSError:
        return False


def install(*packages: str) -> None:
    """Install Debian packages that are not there, after saying so."""
    say(f"installing {', '.join(packages)} with apt-get")
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.exit(f"error: cannot install {', '.join(packages)} here: this needs apt-get and root; install them and run again")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def ensure() -> None:
    """Return when an engine answers; starts one if need be."""
    if answers():
        return
    if shutil.which("dockerd") is None:
        install("docker.io", "iptables", "ca-certificates")
    say(f"starting dockerd (its log: {LOG})")
    with LOG.open("ab") as log:
        daemon = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    deadline = time.monotonic() + START_LIMIT_S
    while not answers():
        if daemon.poll() is not None:
            sys.exit(f"error: dockerd ended with exit code {daemon.returncode}; its last words are in {LOG}")
        if time.monotonic() > deadline:
            sys.exit(f"error: dockerd does not answer after {START_LIMIT_S:.0f} s; see {LOG}")
        time.sleep(0.2)  # polling a starting daemon, with a deadline


def say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if "--mmdebstrap" in sys.argv and shutil.which("mmdebstrap") is None:
        install("mmdebstrap")
    ensure()
