"""A package index read for what its files tell: wheels, their Pythons and platforms, and what their metadata asks for.

Comes in: a function that fetches bytes. Goes out: facts. Only the refresh tool uses this; deciding never does.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import unquote, urljoin

from packaging.version import InvalidVersion, Version

from builder.model.frozen import frozen

JSON = "application/vnd.pypi.simple.v1+json"
_WHEEL = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl$")


class Fetch(Protocol):
    """Where bytes come from. Both raise OSError when they do not."""

    def get(self, url: str, accept: str = "*/*") -> bytes: ...

    def part(self, url: str, start: int | None, length: int) -> tuple[bytes, int]:
        """length bytes from start, or the last ones when start is None; and the size of the whole file."""
        ...


@frozen
class Wheel:
    """One file. pythons: 3.11, 3.13t, py3. platform: as tables spell it, "" for one we have no container or host for."""

    file: str
    version: Version
    pythons: tuple[str, ...]
    platform: str
    libc: str
    url: str
    released: str
    requires_python: str | None
    is_yanked: bool


def wheels(index: str, package: str, fetch: Fetch) -> tuple[Wheel, ...]:
    """Every wheel of final releases of a package, from an index that speaks the JSON form (PEP 691)."""
    address = f"{index.rstrip('/')}/{package}/"
    document = json.loads(fetch.get(address, JSON))
    found = (_wheel(row, address) for row in document["files"])
    return tuple(wheel for wheel in found if wheel is not None)


def local_versions(page: str) -> dict[str, dict[str, set[str]]]:
    """Builds on a page of the torch index: release → platform → local versions such as cu126."""
    found: dict[str, dict[str, set[str]]] = {}
    for text in re.findall(r">\s*([^<>\s]+\.whl)\s*<", page):
        wheel = _wheel({"filename": unquote(text), "url": ""}, "")
        if wheel is not None and wheel.version.local and wheel.platform.startswith("linux"):
            platforms = found.setdefault(wheel.version.public, {})
            platforms.setdefault(wheel.platform, set()).add(wheel.version.local)
    return found


def requirements(wheel: Wheel, fetch: Fetch) -> tuple[str, ...]:
    """What a wheel's METADATA asks for: served beside the wheel (PEP 658), else read out of it without fetching it all."""
    try:
        text = fetch.get(f"{wheel.url}.metadata").decode("utf-8", "replace")
    except OSError:
        text = _metadata_inside(wheel, fetch)
    return tuple(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Requires-Dist:"))


def _metadata_inside(wheel: Wheel, fetch: Fetch) -> str:
    with zipfile.ZipFile(_Remote(wheel.url, fetch)) as archive:
        name = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return archive.read(name).decode("utf-8", "replace")


class _Remote(io.RawIOBase):
    """A remote file that zipfile can look into, piece by piece."""

    def __init__(self, url: str, fetch: Fetch) -> None:
        self._url, self._fetch, self._at = url, fetch, 0
        _, self._size = fetch.part(url, None, 1)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        length = self._size - self._at if size < 0 else min(size, self._size - self._at)
        if length <= 0:
            return b""
        data, _ = self._fetch.part(self._url, self._at, length)
        self._at += len(data)
        return data


def _wheel(row: dict[str, Any], address: str) -> Wheel | None:
    match = _WHEEL.match(row["filename"])
    if not match:
        return None
    try:
        version = Version(match["version"].replace("_", "-"))
    except InvalidVersion:
        return None
    platform, libc = _platform(match["platform"].split("."))
    if version.is_prerelease or not platform:
        return None
    return Wheel(
        file=row["filename"],
        version=version,
        pythons=tuple(_pythons(match["python"].split("."), match["abi"])),
        platform=platform,
        libc=libc,
        url=urljoin(address, row["url"]),
        released=str(row.get("upload-time") or "")[:10],
        requires_python=row.get("requires-python"),
        is_yanked=bool(row.get("yanked")),
    )


def _platform(tags: Iterable[str]) -> tuple[str, str]:
    """A wheel's platform as the tables spell it, and the glibc its tag asks for."""
    for tag in tags:
        if tag == "any":
            return "any", ""
        if match := re.fullmatch(r"(?:many)?linux(?:1|2010|2014|_(\d+)_(\d+))?_(x86_64|aarch64)", tag):
            return f"linux_{match[3]}", f"{match[1]}.{match[2]}" if match[1] else "2.17"
        if tag == "win_amd64":
            return tag, ""
        if match := re.fullmatch(r"macosx_\d+_\d+_(arm64|x86_64)", tag):
            return f"macos_{match[1]}", ""
    return "", ""


def _pythons(tags: Iterable[str], abi: str) -> Iterable[str]:
    for tag in tags:
        if match := re.fullmatch(r"cp(\d)(\d+)", tag):
            free = "t" if abi.endswith("t") and abi.startswith("cp") else ""
            yield f"{match[1]}.{match[2]}{free}"
        elif re.fullmatch(r"py\d", tag):
            yield tag
