"""A project's folder on disk: which files it has, and their bytes. Nothing in it is changed or run.

Bounded on purpose: a project may hold a data set of millions of files, a link that leads out of it, or a file without end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

MAX_NAMES = 50_000
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


class Folder:
    """Paths are relative to the project, with forward slashes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: tuple[str, ...] | None = None

    def names(self) -> tuple[str, ...]:
        """The project's files, sorted, at most MAX_NAMES; without folders of tools and of virtual environments."""
        if self._names is None:
            self._names = tuple(sorted(self._walk()))
        return self._names

    def _walk(self) -> Iterator[str]:
        count = 0
        for where, folders, files in os.walk(self._directory, followlinks=False):
            here = Path(where).relative_to(self._directory)
            if len(here.parts) >= MAX_DEPTH:
                folders.clear()
            folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.endswith(".egg-info"))
            if here.parts and {"pyvenv.cfg", "conda-meta"} & {*files, *folders}:
                folders.clear()
                continue
            for name in sorted(files):
                count += 1
                if count > MAX_NAMES:
                    return
                yield (here / name).as_posix()

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        """The bytes of a regular file inside the project; None for anything else, or when it is larger than limit."""
        file = self._directory / path
        try:
            if not file.resolve().is_relative_to(self._directory.resolve()):
                return None
            if not stat.S_ISREG(file.stat().st_mode) or file.stat().st_size > limit:
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
