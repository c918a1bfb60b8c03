"""Writes a channel's repodata.json, plain and compressed, from the packages that lie in it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zstandard


def write_index(channel: Path, subdirs: Iterable[str]) -> None:
    """One repodata.json for each subdir, also where it has no package: clients ask for both of theirs."""
    for subdir in subdirs:
        folder = channel / subdir
        folder.mkdir(parents=True, exist_ok=True)
        packages = {package.name: _record(package) for package in sorted(folder.glob("*.conda"))}
        repodata = {
            "info": {"subdir": subdir},
            "packages": {},
            "packages.conda": packages,
            "removed": [],
            "repodata_version": 1,
        }
        text = (json.dumps(repodata, indent=1, sort_keys=True) + "\n").encode()
        (folder / "repodata.json").write_bytes(text)
        (folder / "repodata.json.zst").write_bytes(zstandard.ZstdCompressor(level=6).compress(text))


def _record(package: Path) -> dict[str, Any]:
    content = package.read_bytes()
    record: dict[str, Any] = json.loads(read_info(package, "index.json"))
    record["md5"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    record["sha256"] = hashlib.sha256(content).hexdigest()
    record["size"] = len(content)
    return record


def read_info(package: Path, name: str) -> bytes:
    """One file out of a package's info/ folder."""
    with zipfile.ZipFile(package) as archive:
        compressed = archive.read(f"info-{package.name.removesuffix('.conda')}.tar.zst")
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(compressed)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        member = tar.extractfile(f"info/{name}")
        assert member is not None, name
        return member.read()
