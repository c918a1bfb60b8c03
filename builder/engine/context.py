"""The build's context: one tar of the rendered files and the project's own, the same bytes for the same content.

Sorted by path, without times and owners, modes reduced to "may be executed or not": neither a checkout's date nor a umask
changes what BuildKit caches by. Files are read from disk while the engine takes them; only the list of paths is held.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

from builder.engine.ignore import Ignore
from builder.engine.pieces import Pieces
from builder.errors import WsbError
from builder.model.files import FileSet
from builder.model.frozen import frozen
from builder.model.values import Location

_BLOCK: Final = 1 << 18
_RECORD: Final = tarfile.BLOCKSIZE
_IGNORE_FILE: Final = ".dockerignore"


@frozen
class _Entry:
    """One member of the tar: rendered bytes, a path on disk, or a folder that neither of them has."""

    path: str
    content: bytes | None = None
    source: Path | None = None
    mode: int = 0


def build_context(
    files: FileSet,
    project: Path | None = None,
    dockerfile: str = "Dockerfile",
    mounted: Mapping[str, Path] = MappingProxyType({}),
) -> Callable[[], BinaryIO]:
    """Something to open for a BuildRequest: a tar of the files over the project's own.

    project: its folder; left out, the tar holds the files alone. mounted: path in the context → a folder whose files
    stand below it, whatever is ignored elsewhere. What its .dockerignore names stays out; a rendered one
    goes before the project's, and "<dockerfile>.dockerignore" before both, as docker has it.
    Raises WsbError for a .dockerignore that cannot be understood; opening and reading raise it for files that cannot be read.
    """
    ignore = _ignore(files, project, dockerfile)

    def open_context() -> BinaryIO:
        entries = _overlaid(files, project, ignore)
        for path, folder in mounted.items():
            parts = path.split("/")
            for name in ("/".join(parts[:count]) for count in range(1, len(parts) + 1)):
                entries.setdefault(name, _Entry(path=name))
            entries |= {f"{path}/{one.path}": replace(one, path=f"{path}/{one.path}") for one in _walk(folder, Ignore())}
        return io.BufferedReader(Pieces(_tar(entries)), _BLOCK)

    return open_context


def context_paths(files: FileSet, project: Path | None = None, dockerfile: str = "Dockerfile") -> tuple[str, ...]:
    """The paths that would be sent, sorted; folders among them."""
    return tuple(sorted(_overlaid(files, project, _ignore(files, project, dockerfile))))


def _ignore(files: FileSet, project: Path | None, dockerfile: str) -> Ignore:
    for name in (f"{dockerfile}.dockerignore", _IGNORE_FILE):
        text = files[name].decode("utf-8", "replace") if name in files else None
        if text is None and project and (project / name).is_file():
            text = (project / name).read_text("utf-8", "replace")
        if text is not None:
            try:
                return Ignore.parse(text)
            except ValueError as error:
                raise WsbError("bad-value", f"{name}: {error}", where=Location(file=name)) from None
    return Ignore()


def _overlaid(files: FileSet, project: Path | None, ignore: Ignore) -> dict[str, _Entry]:
    """The project's files with the rendered ones in their place, a rendered file's folders too."""
    entries = {entry.path: entry for entry in _walk(project, ignore)} if project else {}
    for file in files:
        parts = file.path.split("/")
        for count in range(1, len(parts)):
            folder = "/".join(parts[:count])
            # a link of the project would otherwise lead the rendered file out of its place
            if not _is_folder(entries.get(folder)):
                entries[folder] = _Entry(path=folder)
        if _is_folder(entries.get(file.path)):
            entries = {path: entry for path, entry in entries.items() if not path.startswith(f"{file.path}/")}
        entries[file.path] = _Entry(path=file.path, content=file.content, mode=file.mode)
    return entries


def _is_folder(entry: _Entry | None) -> bool:
    return entry is not None and entry.source is not None and entry.source.is_dir() and not entry.source.is_symlink()


def _walk(project: Path, ignore: Ignore, below: str = "") -> Iterator[_Entry]:
    """Folders, files and symbolic links of the project that are not ignored; sockets and devices never are wanted."""
    try:
        found = sorted(os.scandir(project / below), key=lambda one: one.name)
    except OSError as error:
        raise _unreadable(below or ".", error) from None
    for one in found:
        path = f"{below}/{one.name}" if below else one.name
        is_ignored = ignore.ignores(path)
        if one.is_dir(follow_symlinks=False):
            inside = list(_walk(project, ignore, path)) if not is_ignored or ignore.may_let_in_below(path) else []
            if inside or not is_ignored:
                yield _Entry(path=path, source=Path(one.path))
            yield from inside
        elif not is_ignored and (one.is_file(follow_symlinks=False) or one.is_symlink()):
            yield _Entry(path=path, source=Path(one.path))


def _tar(entries: Mapping[str, _Entry]) -> Iterator[bytes]:
    """The archive in pieces. A folder stands before what is in it, because its path is a prefix."""
    size = 0
    for path in sorted(entries, key=os.fsencode):
        for block in _member(entries[path]):
            size += len(block)
            yield block
    yield bytes(2 * _RECORD + -(size + 2 * _RECORD) % tarfile.RECORDSIZE)


def _member(entry: _Entry) -> Iterator[bytes]:
    header = tarfile.TarInfo(entry.path)  # times and owners are 0 already
    header.mode = 0o755 if entry.mode & 0o111 else 0o644
    if entry.content is not None:
        header.size = len(entry.content)
        yield _bytes(header)
        yield entry.content + bytes(-header.size % _RECORD)
        return
    try:
        found = entry.source.lstat() if entry.source else None
        if entry.source is None or found is None or stat.S_ISDIR(found.st_mode):
            header.type, header.mode = tarfile.DIRTYPE, 0o755
        elif stat.S_ISREG(found.st_mode):
            header.mode = 0o755 if found.st_mode & 0o111 else 0o644
            with entry.source.open("rb") as file:
                yield from _file(header, file)
            return
        else:
            header.type, header.mode = tarfile.SYMTYPE, 0o777
            header.linkname = os.readlink(entry.source)  # noqa: PTH115  # Path would tidy the target up
    except OSError as error:
        raise _unreadable(entry.path, error) from None
    yield _bytes(header)


def _file(header: tarfile.TarInfo, file: BinaryIO) -> Iterator[bytes]:
    """As long as it is now: a log that grows meanwhile is cut, one that shrinks is an error."""
    left = header.size = os.fstat(file.fileno()).st_size
    yield _bytes(header)
    while left:
        block = file.read(min(left, _BLOCK))
        if not block:
            hint = f"run again when nothing writes there, or name it in {_IGNORE_FILE}"
            raise WsbError("file-was-edited", f"{header.name} became shorter while it was sent", hints=[hint])
        left -= len(block)
        yield block
    yield bytes(-header.size % _RECORD)


def _bytes(header: tarfile.TarInfo) -> bytes:
    # GNU's format: long names and names that are no UTF-8 travel as they are, without headers that carry times
    return header.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _unreadable(path: str, error: OSError) -> WsbError:
    hint = f"name it in {_IGNORE_FILE} when the image does not need it"
    return WsbError("no-such-file", f"cannot read {path}: {error.strerror}", where=Location(file=path), hints=[hint])
