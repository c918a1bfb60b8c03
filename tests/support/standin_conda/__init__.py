"""Stand-ins for Miniconda's and Miniforge's installers and for micromamba, for machines that reach no conda channel.

What is real: the packages they install, Python among them, conda's package format, repodata, solving and linking (py-rattler).
What is not: the program called conda. It answers to conda's command lines and reads its configuration, and says what it is
(`conda --version`: conda 26.5.3 (wsb stand-in)).

How far to trust it: on 2026-11-24 conda 26.5.3 itself (from source, with conda-rattler-solver) was run beside it on the same
channel. Same packages chosen, same modes and groups on disk, same history, same errors for a package, a channel and a server
that is not there, same refusal of `env update -y`, same builds under CONDA_OVERRIDE_CUDA. Different, and left so: real conda
retries loudly, draws progress, names its solver in UnsatisfiableError, and writes conda-meta/created_at. Not compared: the
installers, the terms of service (written after the source of conda-anaconda-tos) and micromamba (after mamba's source).
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import tarfile
from pathlib import Path
from typing import Literal

from tests.support.channel import build_channel, exclusive
from tests.support.channel.conda_package import FIXED_TIME_S
from tests.support.standin_conda.base import build_base, pack
from tests.support.standin_conda.program import CONDA_VERSION, MICROMAMBA_VERSION, STANDIN

__all__ = ["make_installer", "make_micromamba"]

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
    target = cache_dir / f"standin-{_key(channel)}" / f"{name}-{CONDA_VERSION}-0-Linux-{platform.machine()}.sh"
    with exclusive(cache_dir, "standin"):
        if not target.is_file():
            payload = pack(_base(channel, cache_dir, target.parent), {".condarc": condarc})
            values = {"NAME": name, "VERSION": f"{CONDA_VERSION}-0 (wsb stand-in)", "FOLDER": folder, "SIZE_MB": "250"}
            values["MD5"] = hashlib.md5(payload, usedforsecurity=False).hexdigest()
            _write(target, _filled("header.sh.in", values) + payload)
    return target


def make_micromamba(cache_dir: Path) -> Path:
    """A .tar.bz2 laid out as conda-forge's package of micromamba is, so `tar -xj bin/micromamba` finds one in it.

    Unlike the real one, the executable is a shell script that unpacks a Python under /var/tmp when it first runs.
    """
    channel = build_channel(cache_dir)
    key = _key(channel)
    target = cache_dir / f"standin-{key}" / f"standin-micromamba-{MICROMAMBA_VERSION}-0.tar.bz2"
    with exclusive(cache_dir, "standin"):
        if not target.is_file():
            payload = pack(_base(channel, cache_dir, target.parent), {})
            executable = _filled("micromamba.sh.in", {"KEY": key}) + payload
            index = {"name": "micromamba", "version": MICROMAMBA_VERSION, "build": "0", "build_number": 0, "depends": []}
            files = {"bin/micromamba": executable, "info/files": b"bin/micromamba\n"}
            files["info/index.json"] = json.dumps({**index, "summary": f"not micromamba: {STANDIN}"}).encode()
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w:bz2", compresslevel=1) as tar:
                for name, content in files.items():
                    info = tarfile.TarInfo(name)
                    info.size, info.mtime = len(content), FIXED_TIME_S
                    info.mode = 0o775 if name.startswith("bin/") else 0o664
                    tar.addfile(info, io.BytesIO(content))
            _write(target, buffer.getvalue())
    return target


def _filled(template: str, values: dict[str, str]) -> bytes:
    text = (_HERE / template).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.encode()


def _write(target: Path, content: bytes) -> None:
    beside = target.with_suffix(".part")
    beside.write_bytes(content)
    beside.rename(target)


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
