"""An image's file tree as one digest: over path, kind, mode, owner and content of everything in it, and over no times.

Times are left out because only newer BuildKits can set those of a layer; what reads a file sees the rest.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from builder.engine.base import ImageInfo
from builder.engine.pieces import Pieces

_BLOCK: Final = 1 << 20
_KINDS: Final = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.LNKTYPE: "file",
    tarfile.SYMTYPE: "link",
    tarfile.DIRTYPE: "folder",
    tarfile.FIFOTYPE: "fifo",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
}


@dataclass(frozen=True, slots=True)
class Tree:
    """Path → one line's worth of what it is."""

    entries: Mapping[str, str]

    @classmethod
    def read(cls, pieces: Iterator[bytes]) -> Tree:
        """From a tar as `docker export` gives it. A hard link counts as the file it is."""
        entries: dict[str, str] = {}
        contents: dict[str, str] = {}
        with tarfile.open(fileobj=io.BufferedReader(Pieces(pieces), _BLOCK), mode="r|") as archive:
            for member in archive:
                path = member.name.strip("/")
                content = member.linkname if member.issym() else ""
                if member.isreg():
                    content = contents[path] = _sha256(archive, member)
                elif member.islnk():
                    content = contents[path] = contents.get(member.linkname.strip("/"), "")
                kind = _KINDS.get(member.type, "other")
                mode = 0o777 if member.issym() else member.mode
                entries[path] = f"{kind} {mode:04o} {member.uid}:{member.gid} {content}".rstrip()
        return cls(entries)

    def lines(self) -> Iterator[str]:
        """Sorted by path."""
        return (f"{path}\t{self.entries[path]}" for path in sorted(self.entries))

    @property
    def digest(self) -> str:
        total = hashlib.sha256()
        for line in self.lines():
            total.update(line.encode("utf-8", "surrogateescape") + b"\n")
        return f"sha256:{total.hexdigest()}"


def differences(one: Tree, other: Tree) -> tuple[str, ...]:
    """A line for each path that is not the same in both."""
    found = []
    for path in sorted({*one.entries, *other.entries}):
        here, there = one.entries.get(path), other.entries.get(path)
        if here != there:
            found.append(f"{path}: {here or 'not there'} | {there or 'not there'}")
    return tuple(found)


def image_differences(one: ImageInfo, other: ImageInfo) -> tuple[str, ...]:
    """Why two images with the same files have different ids, in words."""
    if one.id == other.id:
        return ("the ids are the same",)
    found = [f"created {one.created} and {other.created}: the engine's clock"] if one.created != other.created else []
    pairs = list(zip(one.layers, other.layers, strict=False))
    same = next((count for count, (here, there) in enumerate(pairs) if here != there), len(pairs))
    if same < max(len(one.layers), len(other.layers)):
        found.append(
            f"layers: the first {same} are the same, {len(one.layers) - same} and {len(other.layers) - same} follow; a layer's "
            "digest covers the times of its files, which BuildKit sets the same only from 0.13 on (rewrite-timestamp)"
        )
    for name in sorted({*one.labels, *other.labels}):
        if one.labels.get(name) != other.labels.get(name):
            found.append(f"label {name}: {one.labels.get(name)!r} and {other.labels.get(name)!r}")
    if one.env != other.env:
        found.append("the environment variables of the configuration")
    return tuple(found) or ("the history of the configuration: the engine dates each step",)


def _sha256(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    stream, total = archive.extractfile(member), hashlib.sha256()
    assert stream is not None
    while block := stream.read(_BLOCK):
        total.update(block)
    return total.hexdigest()
