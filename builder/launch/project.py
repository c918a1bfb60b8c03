"""A project's own files as a stream, for machines that do not have its folder."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LEFT_OUT: Final = {
    ".git",
    ".hg",
    ".venv",
    "venv",
    "__pycache__",
    "node_modules",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
}
_BLOCK: Final = 1 << 20


def stream(directory: Path) -> Iterator[bytes]:
    """The tar of a project without what a run does not need."""
    held = _Pieces()
    with tarfile.open(fileobj=held, mode="w|", bufsize=_BLOCK) as archive:
        for path in files(directory):
            archive.add(path, path.relative_to(directory).as_posix(), recursive=False, filter=_plain)
            yield from held.taken()
    yield from held.taken()


def packed(directory: Path) -> bytes:
    """The same, compressed; equal files give equal bytes."""
    return gzip.compress(b"".join(stream(directory)), mtime=0)


def files(directory: Path) -> Iterator[Path]:
    """Every file, link and folder below, folders first, in order."""
    for path in sorted(directory.iterdir()):
        if path.name in _LEFT_OUT:
            continue
        if path.is_dir() and not path.is_symlink():
            yield path
            yield from files(path)
        elif path.is_file() or path.is_symlink():
            yield path


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without whose it is here: there it belongs to whoever unpacks it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


class _Pieces(io.RawIOBase):
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces
