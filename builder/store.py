"""Writes a FileSet into a project: compare, write beside, rename. What the user edited is kept.

What was written last is remembered in .wsb/rendered.json (path → sha256). A file that differs from that memory was edited
by somebody, and is left alone unless the caller insists.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from builder.errors import WsbError
from builder.model.files import File, FileSet
from builder.model.values import Location

MEMORY = ".wsb/rendered.json"


class Change(str, Enum):
    """What writing would do, or did, to one path."""

    NEW = "new"
    UPDATED = "updated"
    SAME = "same"
    EDITED = "edited"  # differs from what wsb wrote last, so a person changed it: kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    path: str
    change: Change


def compare(directory: Path, files: FileSet) -> tuple[Written, ...]:
    """What `write` would do, without doing it."""
    memory = _read_memory(directory)
    return tuple(Written(path=file.path, change=_change(directory, file, memory)) for file in files)


def write(directory: Path, files: FileSet, *, overwrite_edited: bool = False) -> tuple[Written, ...]:
    """Write every file that is new or unedited; returns what was done to each.

    A file appears whole or not at all. Raises WsbError disk-full or bad-value (a path that cannot be written).
    """
    memory = _read_memory(directory)
    done = []
    for file in files:
        change = _change(directory, file, memory)
        if change is Change.EDITED and overwrite_edited:
            change = Change.UPDATED
        if change in (Change.NEW, Change.UPDATED):
            write_file(directory / file.path, file.content, file.mode)
        if change is not Change.EDITED:
            memory[file.path] = _sha256(file.content)
        done.append(Written(path=file.path, change=change))
    write_file(directory / MEMORY, (json.dumps(memory, indent=1, sort_keys=True) + "\n").encode(), 0o644)
    return tuple(done)


def _change(directory: Path, file: File, memory: dict[str, str]) -> Change:
    try:
        present = (directory / file.path).read_bytes()
    except FileNotFoundError:
        return Change.NEW
    except OSError as error:
        raise _cannot(directory / file.path, error) from error
    if present == file.content:
        return Change.SAME
    return Change.UPDATED if memory.get(file.path) == _sha256(present) else Change.EDITED


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
    return {path: digest for path, digest in memory.items() if isinstance(path, str) and isinstance(digest, str)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
