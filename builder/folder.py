"""A project's folder on disk: which files it has, and their bytes. Nothing in it is changed or run.

Bounded on purpose: a project may hold a data set of millions of files, a link that leads out of it, or a file without end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

MAX_NAMES = 50_000  # below each folder of the top level, so that a data set there does not hide the code beside it
MAX_DEPTH = 12
MAX_BYTES = 10 << 20  # of one file
MAX_TOTAL_BYTES = 256 << 20  # of all sources together

# Folders of tools and of installed packages: nothing in them was written for this project.
_SKIPPED = frozenset(
    """
    .wsb .git .hg .svn .tox .nox node_modules __pycache__ site-packages .mypy_cache .pytest_cache .ruff_cache
    .ipynb_checkpoints .idea .eggs build dist wandb mlruns lightning_logs
    """.split()  # noqa: SIM905
)
_ENVIRONMENT = frozenset({"pyvenv.cfg", "conda-meta"})  # what only a virtual environment has


class Folder:
    """Paths are relative to the project, with forward slashes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: tuple[str, ...] | None = None

    @cached_property
    def _resolved(self) -> Path:
        return self._directory.resolve()

    def names(self) -> tuple[str, ...]:
        """The project's files, sorted, without folders of tools and of virtual environments. Each folder is entered once."""
        if self._names is None:
            folders, files = self._listed("")
            below = (islice(self._below(folder), MAX_NAMES) for folder in folders)
            self._names = tuple(sorted(chain(files[:MAX_NAMES], *below)))
        return self._names

    def _below(self, folder: str) -> Iterator[str]:
        folders, files = self._listed(folder)
        yield from files
        for inner in folders:
            yield from self._below(inner)

    def _listed(self, folder: str) -> tuple[list[str], list[str]]:
        """(folders to look into, files) of one folder, as paths from the project's own; links to folders are neither."""
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(self._directory / folder) as scanned:
                entries = sorted(scanned, key=lambda one: one.name)
        except OSError:
            return [], []
        if folder and not _ENVIRONMENT.isdisjoint(one.name for one in entries):
            return [], []
        is_deep = folder.count("/") + 1 >= MAX_DEPTH
        folders, files = [], []
        for one in entries:
            if not _is_folder(one):
                files.append(prefix + one.name)
            elif not (is_deep or one.is_symlink() or one.name in _SKIPPED or one.name.endswith(".egg-info")):
                folders.append(prefix + one.name)
        return folders, files

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        """The bytes of a regular file inside the project; None for anything else, or when it is larger than limit."""
        file = self._directory / path
        try:
            if not file.resolve().is_relative_to(self._resolved):
                return None
            found = file.stat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
                return None
            with file.open("rb") as stream:
                return stream.read(limit)
        except (OSError, ValueError):
            return None

    def texts(self, wanted: Callable[[str], bool]) -> dict[str, str]:
        """The text of every file that is wanted, undecodable bytes replaced; at most MAX_TOTAL_BYTES together."""
        from builder.config.text import encoding_of

        found: dict[str, str] = {}
        total = 0
        for path in self.names():
            content = self.read(path) if wanted(path) else None
            if content is None:
                continue
            total += len(content)
            if total > MAX_TOTAL_BYTES:
                break
            found[path] = content.decode(encoding_of(content), "replace").removeprefix("\ufeff")
        return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
