"""Writes a FileSet into a project: compare, write beside, rename. What a person edited is kept.

Three texts meet at each path: what wsb rendered last (its sha256 is remembered in .wsb/rendered.json), what is there, and
what is new. Where both the person and wsb have changed something, the person's file stays and the new one lies below
.wsb/new/, told of once.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from enum import Enum
from pathlib import Path

from builder.errors import WsbError
from builder.model.files import File, FileSet
from builder.model.frozen import frozen
from builder.model.values import Location

MEMORY = ".wsb/rendered.json"


class Change(str, Enum):
    """What writing would do, or did, to one path."""

    NEW = "new"
    UPDATED = "updated"
    SAME = "same"
    REMOVED = "removed"  # rendered before and no longer part of it; nobody had edited it
    EDITED = "edited"  # a person changed it and wsb has nothing new: kept
    CONFLICT = "conflict"  # both have changed it: kept, and the new text lies below NEW_TEXTS
    OWN = "own"  # never wsb's, and wsb's gives way: left alone


NEW_TEXTS = ".wsb/new"


@frozen
class Written:
    path: str
    change: Change


def compare(directory: Path, files: FileSet, *, is_whole: bool = False) -> tuple[Written, ...]:
    """What `write` would do, without doing it."""
    memory = _read_memory(directory)
    found = [Written(path=file.path, change=_change(directory, file, memory)) for file in files]
    if is_whole:
        found += [Written(path=path, change=_end(directory, path, memory)) for path in _gone(directory, files, memory)]
    return tuple(found)


def write(directory: Path, files: FileSet, *, overwrite_edited: bool = False, is_whole: bool = False) -> tuple[Written, ...]:
    """Write every file that is new or unedited; returns what was done to each.

    is_whole: files are all there is to be, so what was rendered before and is not among them is removed.
    A file appears whole or not at all. Raises WsbError disk-full or bad-value (a path that cannot be written).
    """
    memory = _read_memory(directory)
    done = []
    for file in files:
        change = _change(directory, file, memory)
        if change in (Change.EDITED, Change.CONFLICT) and overwrite_edited:
            change = Change.UPDATED
        _put(directory, file, change)
        if change is not Change.OWN:
            memory[file.path] = _sha256(file.content)
        done.append(Written(path=file.path, change=change))
    for path in _gone(directory, files, memory) if is_whole else ():
        change = _end(directory, path, memory)
        if change is Change.REMOVED:
            _remove(directory, path)
        _remove(directory, f"{NEW_TEXTS}/{path}")
        del memory[path]
        done.append(Written(path=path, change=change))
    write_file(directory / MEMORY, (json.dumps(memory, indent=1, sort_keys=True) + "\n").encode(), 0o644)
    return tuple(done)


def _put(directory: Path, file: File, change: Change) -> None:
    if change in (Change.NEW, Change.UPDATED):
        write_file(directory / file.path, file.content, file.mode)
    if change is Change.CONFLICT:
        write_file(directory / NEW_TEXTS / file.path, file.content, file.mode)
    elif change is not Change.EDITED:
        _remove(directory, f"{NEW_TEXTS}/{file.path}")


def _change(directory: Path, file: File, memory: dict[str, str]) -> Change:
    present = _read(directory / file.path)
    if present is None:
        return Change.NEW
    if present == file.content:
        return Change.SAME
    last = memory.get(file.path)
    if last is None:
        return Change.OWN if file.yields else Change.CONFLICT
    if last == _sha256(present):
        return Change.UPDATED
    return Change.EDITED if file.yields or last == _sha256(file.content) else Change.CONFLICT


def _gone(directory: Path, files: FileSet, memory: dict[str, str]) -> list[str]:
    """Paths that were rendered before, are not to be rendered now, and are still there."""
    return sorted(path for path in memory if path not in files and (directory / path).is_file())


def _end(directory: Path, path: str, memory: dict[str, str]) -> Change:
    present = _read(directory / path)
    return Change.REMOVED if present is not None and memory[path] == _sha256(present) else Change.EDITED


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _cannot(path, error) from error


def _remove(directory: Path, path: str) -> None:
    """The file, and the folders that it leaves empty."""
    try:
        (directory / path).unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot(directory / path, error) from error
    for folder in (directory / path).parents:
        if folder == directory:
            return
        try:
            folder.rmdir()
        except OSError:  # not empty
            return


def write_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """One file, whole or not at all. Raises WsbError disk-full or bad-value."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            beside.chmod(mode)
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        raise _cannot(path, error) from error


def _cannot(path: Path, error: OSError) -> WsbError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WsbError("disk-full", f"no space left to write {path}", hints=["free some space and run the command again"])
    return WsbError("bad-value", f"cannot write {path}: {error.strerror}", where=Location(file=str(path)))


def _read_memory(directory: Path) -> dict[str, str]:
    try:
        memory = json.loads((directory / MEMORY).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        raise _cannot(directory / MEMORY, error) from error
    if not isinstance(memory, dict):
        return {}
    return {path: digest for path, digest in memory.items() if isinstance(digest, str) and _is_inside(path)}


def _is_inside(path: str) -> bool:
    """Whether a remembered path lies in the project: the file may have been edited, and paths in it are removed."""
    return not path.startswith("/") and ".." not in path.split("/")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
