"""A local conda channel of real packages, for tests that must install from conda where no conda channel can be reached.

Real: the `.conda` format, the metadata, Python 3.9, 3.11 and 3.13 (Debian's builds, moved), their libraries, pip, setuptools,
wheel and other packages from their wheels on PyPI. Made up: packages named wsb-*, and the channels' names.

The folder holds several channels: `conda-forge` (nearly everything), `extra` (what is only there, and newer versions of what
conda-forge has too, so that the order of channels can be seen), and `pkgs/main` and `pkgs/r` (a small mirror of `defaults`,
with Anaconda's terms of service as an unread text).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.channel import made, pythons, wheels
from tests.support.channel.debian import DebianArchive, NoDebianTools
from tests.support.channel.index import write_index

__all__ = ["NoDebianTools", "build_channel", "exclusive"]

_CERTIFI = "2025.1.31"


def build_channel(cache_dir: Path) -> Path:
    """The folder of channels, built into `cache_dir` on the first call and taken from there afterwards.

    Raises NoDebianTools where apt is missing. Needs Debian's archive and PyPI, and about a minute of two cores.
    """
    target = cache_dir / f"channel-{_key()}"
    with exclusive(cache_dir, "channel"):
        if not target.is_dir():
            scratch = cache_dir / "channel-scratch"
            shutil.rmtree(scratch, ignore_errors=True)
            _build(scratch, scratch / "out")
            (scratch / "out").rename(target)
            shutil.rmtree(scratch)
    return target


@contextmanager
def exclusive(cache_dir: Path, name: str) -> Iterator[None]:
    """Lets one process at a time make what is called `name`; others wait and then find it made."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    with (cache_dir / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _key() -> str:
    """Changes with the code that makes the channel."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


def _build(scratch: Path, out: Path) -> None:
    archive = DebianArchive(scratch / "apt", [release.suite for release in pythons.RELEASES])
    archive.update()
    forge, extra, main, r = (out / name for name in ("conda-forge", "extra", "pkgs/main", "pkgs/r"))
    wheels.write_pure(scratch, forge)
    wheels.write_compiled([release.python for release in pythons.RELEASES], scratch, forge, archive.subdir)
    pythons.write_pythons(archive, pythons.RELEASES, scratch, forge, scratch / "wheels")
    (certifi,) = wheels.download([f"certifi=={_CERTIFI}"], scratch / "certifi")
    made.write_ca_certificates(certifi, _CERTIFI, scratch, forge)
    made.write_udunits2(archive, "bookworm", scratch, forge)
    made.write_cuda_probe(scratch, forge, archive.subdir)
    for channel, name, version in ((forge, "wsb-both", "1.0"), (extra, "wsb-both", "2.0"), (extra, "wsb-only-extra", "1.0")):
        made.write_marker(name, version, scratch, channel)
    made.write_marker("wsb-only-main", "1.0", scratch, main)
    for channel in (forge, extra, main, r):
        write_index(channel, (archive.subdir, "noarch"))
    for channel in (main, r):
        (channel / "tos.json").write_text(json.dumps(_TERMS, indent=2) + "\n")


_TERMS = {
    "version": 1,
    "text": "Made by wsb's tests: stands where Anaconda's terms of service stand.",
    "support": "https://www.anaconda.com/legal",
}
