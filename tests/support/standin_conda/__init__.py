"""Stand-ins for Miniconda's and Miniforge's installers and for micromamba, for machines that reach no conda channel.

What is real: the packages they install, Python among them, conda's package format, repodata, solving and linking (py-rattler).
What is not: the program called conda. It answers to conda's command lines and reads its configuration, and says what it is
(`conda --version`: conda 26.5.3 (wsb stand-in)).
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Literal

from tests.support.channel import build_channel, exclusive
from tests.support.standin_conda.base import build_base, pack
from tests.support.standin_conda.program import CONDA_VERSION

__all__ = ["make_installer"]

Kind = Literal["miniconda", "miniforge"]

_HERE = Path(__file__).parent
#: kind → (the real name with Standin before it, default folder, condarc). The real installers configure their channels so.
_KINDS = {
    "miniconda": ("Standin-Miniconda3", "miniconda3", "channels:\n  - defaults\n"),
    "miniforge": ("Standin-Miniforge3", "miniforge3", "channels:\n  - conda-forge\n"),
}


def make_installer(kind: Kind, cache_dir: Path) -> Path:
    """A self-extracting installer script, made in `cache_dir` on the first call and found there afterwards."""
    name, folder, condarc = _KINDS[kind]
    channel = build_channel(cache_dir)
    target = cache_dir / f"standin-{_key(channel)}" / f"{name}-{CONDA_VERSION}-0-Linux-{_machine()}.sh"
    with exclusive(cache_dir, "standin"):
        if not target.is_file():
            payload = pack(_base(channel, cache_dir, target.parent), {".condarc": condarc})
            text = (_HERE / "header.sh.in").read_text()
            values = {"NAME": name, "VERSION": f"{CONDA_VERSION}-0 (wsb stand-in)", "FOLDER": folder, "SIZE_MB": "250"}
            values["MD5"] = hashlib.md5(payload, usedforsecurity=False).hexdigest()
            for key, value in values.items():
                text = text.replace(f"@{key}@", value)
            beside = target.with_suffix(".part")
            beside.write_bytes(text.encode() + payload)
            beside.rename(target)
    return target


def _base(channel: Path, cache_dir: Path, target: Path) -> Path:
    """The base prefix, kept so that the second installer does not make it again."""
    prefix = target / "base"
    if not prefix.is_dir():
        scratch = cache_dir / "standin-scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        target.mkdir(parents=True, exist_ok=True)
        build_base(channel, scratch).rename(prefix)
        shutil.rmtree(scratch)
    return prefix


def _key(channel: Path) -> str:
    sources = sorted(path for path in _HERE.rglob("*") if path.is_file() and path.suffix in (".py", ".sh", ".in"))
    return hashlib.sha256(b"".join([channel.name.encode(), *(path.read_bytes() for path in sources)])).hexdigest()[:12]


def _machine() -> str:
    import platform

    return platform.machine()
