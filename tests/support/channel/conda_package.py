"""Writes `.conda` packages: a description and a folder come in, one file in conda's format 2 goes out, same bytes every time.

py-rattler-build's own assembler is not used because it drops what matters here: file modes (conda-build makes everything
group-writable), prefix placeholders, and the `link.json` that a `noarch: python` package needs.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import zstandard

#: The path written where a file names its own environment; every installer replaces it with the real prefix.
PLACEHOLDER = ("/wsb_standin_build_" + "placehold_" * 30)[:255]

#: 2024-01-01, for every file in every package, so that building twice gives the same bytes.
FIXED_TIME_S = 1704067200
_ZIP_TIME = (2024, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What `index.json` says about one package.

    build: by custom ends in _<build_number>. subdir: linux-64, linux-aarch64 or noarch.
    entry_points: `name = module:function` lines, only for noarch "python".
    track_features: makes a solver like this build less than its siblings.
    """

    name: str
    version: str
    build: str
    subdir: str
    summary: str
    build_number: int = 0
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    noarch: Literal["python", "generic"] | None = None
    license: str = "LicenseRef-as-packaged-upstream"
    entry_points: tuple[str, ...] = ()
    track_features: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}-{self.build}.conda"

    def index(self) -> dict[str, Any]:
        """The package's `info/index.json`."""
        index: dict[str, Any] = {
            "build": self.build,
            "build_number": self.build_number,
            "constrains": list(self.constrains),
            "depends": list(self.depends),
            "license": self.license,
            "name": self.name,
            "subdir": self.subdir,
            "timestamp": FIXED_TIME_S * 1000,
            "version": self.version,
        }
        if self.noarch:
            index["noarch"] = self.noarch
        else:
            index["platform"], index["arch"] = "linux", {"linux-64": "x86_64"}.get(self.subdir, self.subdir[6:])
        if self.track_features:
            index["track_features"] = self.track_features
        return index


def write_package(package: Package, files: Path, channel: Path) -> Path:
    """Packs everything under `files` and returns the new file, CHANNEL/SUBDIR/NAME-VERSION-BUILD.conda."""
    target = channel / package.subdir / package.file_name
    target.parent.mkdir(parents=True, exist_ok=True)
    members = sorted(path for path in files.rglob("*") if path.is_symlink() or not path.is_dir())
    stem = package.file_name.removesuffix(".conda")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (
            ("metadata.json", b'{"conda_pkg_format_version": 2}'),
            (f"pkg-{stem}.tar.zst", _tar_zst(_payload(files, members))),
            (f"info-{stem}.tar.zst", _tar_zst(_info(package, files, members))),
        ):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content)
    return target


def _payload(files: Path, members: list[Path]) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [_entry(path.relative_to(files).as_posix(), path) for path in members]


def _entry(name: str, path: Path) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.mtime = FIXED_TIME_S
    if path.is_symlink():
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        return info, b""
    content = path.read_bytes()
    info.size = len(content)
    # As conda-build leaves them: the group may write, and whoever runs a file may be anyone.
    info.mode = 0o775 if path.stat().st_mode & stat.S_IXUSR else 0o664
    return info, content


def _info(package: Package, files: Path, members: list[Path]) -> list[tuple[tarfile.TarInfo, bytes]]:
    documents: dict[str, Any] = {
        "info/about.json": {"summary": package.summary, "license": package.license, "extra": package.extra},
        "info/index.json": package.index(),
        "info/paths.json": {"paths": [_path_record(files, path) for path in members], "paths_version": 1},
    }
    if package.noarch == "python":
        noarch = {"type": "python", "entry_points": list(package.entry_points)}
        documents["info/link.json"] = {"noarch": noarch, "package_metadata_version": 1}
    texts = {name: json.dumps(document, indent=2, sort_keys=True) + "\n" for name, document in documents.items()}
    texts["info/files"] = "".join(f"{path.relative_to(files).as_posix()}\n" for path in members)
    entries = []
    for name, text in sorted(texts.items()):
        info = tarfile.TarInfo(name)
        info.mtime, info.mode, info.size = FIXED_TIME_S, 0o664, len(text.encode())
        entries.append((info, text.encode()))
    return entries


def _path_record(files: Path, path: Path) -> dict[str, Any]:
    record: dict[str, Any] = {"_path": path.relative_to(files).as_posix(), "path_type": "hardlink"}
    if path.is_symlink():
        record["path_type"] = "softlink"
        inside = path.exists() and path.resolve().is_file()
        content = path.read_bytes() if inside else b""
    else:
        content = path.read_bytes()
        if PLACEHOLDER.encode() in content:
            record["prefix_placeholder"] = PLACEHOLDER
            record["file_mode"] = "binary" if b"\0" in content else "text"
    record["sha256"] = hashlib.sha256(content).hexdigest()
    record["size_in_bytes"] = len(content)
    return record


def _tar_zst(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content) if content else None)
    return zstandard.ZstdCompressor(level=6).compress(plain.getvalue())
