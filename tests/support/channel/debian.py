"""Brings Debian packages of any suite onto this machine and unpacks them into a folder, without installing anything.

A private apt root is used, so neither the machine's sources nor its package database are touched; apt still checks the
archive's signatures. The mirror is the one that this machine's own apt uses.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class NoDebianTools(RuntimeError):
    """This machine has no apt: the channel's Python is repackaged from Debian's, so it cannot be made here."""


class DebianArchive:
    """Packages of several suites. root: a scratch folder, may be kept and used again. suites: such as bookworm."""

    def __init__(self, root: Path, suites: Iterable[str]) -> None:
        missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
        if missing or not _KEYRING.is_file():
            wanted = ", ".join([*missing, *([] if _KEYRING.is_file() else [str(_KEYRING)])])
            raise NoDebianTools(f"a local conda channel needs a Debian machine (or its archive keyring); missing: {wanted}")
        self.root = root
        self.suites = tuple(suites)
        asked = ["dpkg", "--print-architecture"]
        self.architecture = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()

    @property
    def subdir(self) -> str:
        """What conda calls this machine's architecture, such as linux-64."""
        return {"amd64": "linux-64", "arm64": "linux-aarch64"}[self.architecture]

    def update(self) -> None:
        """Reads the package lists of every suite: about 9 MB each."""
        for folder in ("lists/partial", "cache/archives/partial", "parts"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "status").touch()
        lines = [f"deb [signed-by={_KEYRING}] {_mirror()} {suite} main\n" for suite in self.suites]
        (self.root / "sources.list").write_text("".join(lines))
        self._apt("update")

    def download(self, suite: str, packages: Iterable[str]) -> None:
        """Downloads packages of one suite; asking for many at once is far quicker than one by one."""
        debs = self._debs(suite)
        debs.mkdir(parents=True, exist_ok=True)
        self._apt("download", *(f"{name}/{suite}" for name in packages), cwd=debs)

    def unpack(self, suite: str, packages: Iterable[str], target: Path) -> dict[str, str]:
        """Unpacks downloaded packages of one suite into `target`; returns package → Debian version."""
        target.mkdir(parents=True, exist_ok=True)
        versions = {}
        for name in packages:
            (deb,) = self._debs(suite).glob(f"{name}_*.deb")
            subprocess.run(["dpkg-deb", "-x", deb, target], check=True)
            fields = ["dpkg-deb", "-f", str(deb), "Version"]
            versions[name] = subprocess.run(fields, check=True, capture_output=True, text=True).stdout.strip()
        return versions

    def _debs(self, suite: str) -> Path:
        return self.root / "debs" / suite

    def _apt(self, *words: str, cwd: Path | None = None) -> None:
        root = self.root.resolve()
        options = {
            "Dir::State": root,
            "Dir::State::lists": root / "lists",
            "Dir::State::status": root / "status",
            "Dir::Cache": root / "cache",
            "Dir::Etc::sourcelist": root / "sources.list",
            "Dir::Etc::sourceparts": root / "parts",
            "Dir::Etc::preferencesparts": root / "parts",
            "APT::Sandbox::User": "root",  # otherwise apt warns that its own user cannot write here
            "Acquire::Languages": "none",
        }
        flags = [f"-o{key}={value}" for key, value in options.items()]
        done = subprocess.run(["apt-get", "-qq", *flags, *words], cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"apt-get {' '.join(words)} failed:\n{done.stdout}{done.stderr}")


def _mirror() -> str:
    """The archive that this machine's apt reads, or Debian's own name for it."""
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"]
    lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    for line in lines:
        origin, _, uri = line.partition(" ")
        if origin == "Debian" and "security" not in uri:
            return uri.rstrip("/")
    return "http://deb.debian.org/debian"
