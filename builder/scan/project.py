"""The files that wsb.yaml names, and those they include → a Project.

Nothing is opened here: read() is handed in and given paths relative to the project. The first file that says something
wins; what others say differently becomes a note. Every problem of every file is told at once.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence

from builder.config.suggest import as_yaml, nearest, shown
from builder.config.text import decode_loosely
from builder.errors import Problems, WsbError
from builder.model.project import Project
from builder.model.spec import Spec
from builder.model.values import Located
from builder.scan.gathering import Gathering
from builder.scan.items import IncludeItem, Item, LocalItem, NoteItem
from builder.scan.manifests import manifest_reader
from builder.scan.requirements import read_requirements

MAX_FILES = 50
MAX_PROBLEMS = 100

Read = Callable[[str], bytes | None]
Names = Callable[[], Iterable[str]]


def read_project(read: Read, spec: Spec, names: Names | None = None) -> Project:
    """What the files that spec names declare.

    read: path relative to the project, with forward slashes → bytes, or None when there is no such file.
    names: the project's files, asked only to find what a missing one might have been.
    Raises Problems: files that are not there, lines that cannot be understood.
    """
    project, problems = read_readable(read, spec, names)
    if problems:
        raise Problems(problems[:MAX_PROBLEMS])
    return project


def read_readable(read: Read, spec: Spec, names: Names | None = None) -> tuple[Project, tuple[WsbError, ...]]:
    """The same of what can be understood, and what cannot."""
    walk = _Walk(read, names, spec)
    if spec.environment is not None:
        walk.file(spec.environment, is_environment=True, folder=posixpath.dirname(spec.environment.value))
    for path in spec.requirements:
        walk.file(path, is_environment=False)
    return walk.gathering.project(tuple(walk.files)), tuple(walk.problems)


class _Walk:
    """From file to file. files: those read, in order."""

    def __init__(self, read: Read, names: Names | None, spec: Spec) -> None:
        self.gathering = Gathering(spec.python.value if spec.python is not None else None)
        self.problems: list[WsbError] = []
        self.files: list[str] = []
        self._read = read
        self._names = names
        self._seen: set[tuple[str, bool]] = set()

    def file(self, path: Located[str], *, is_environment: bool, is_constraint: bool = False, folder: str = "") -> None:
        """Reads one file and, in their place, the files it includes.

        folder: where its local requirements are seen from: conda runs pip in the folder of environment.yml, people run
        it in that of the project.
        """
        if (path.value, is_constraint) in self._seen:
            return
        self._seen.add((path.value, is_constraint))
        if len(self._seen) > MAX_FILES:
            self.problems.append(WsbError("bad-value", f"more than {MAX_FILES} files include one another", path.where))
            return
        content = self._read(path.value)
        if content is None:
            self.problems.append(self._missing(path))
            return
        if path.value not in self.files:
            self.files.append(path.value)
        for item in self._items(path, content, is_environment):
            if isinstance(item, WsbError):
                self.problems.append(item)
            elif isinstance(item, IncludeItem):
                self._include(item, path.value, is_constraint or item.is_constraint, folder)
            elif isinstance(item, LocalItem):
                self.problems.extend(self.gathering.take(_seen_from(folder, item)))
            else:
                self.problems.extend(self.gathering.take(item, is_constraint=is_constraint))

    def _items(self, path: Located[str], content: bytes, is_environment: bool) -> Sequence[Item]:
        if is_environment:
            from builder.scan.conda_lock import decode_lock, read_conda_lock

            lock = decode_lock(content)
            if lock is not None:
                return read_conda_lock(lock, path.value)
        try:
            text, broken = decode_loosely(content, path.value)
        except WsbError as error:
            return (error,)
        items = _read_as(text, path, is_environment)
        if broken is None:
            return items
        return (NoteItem(text="not UTF-8; the characters that cannot be read are replaced", where=broken), *items)

    def _include(self, item: IncludeItem, inside: str, is_constraint: bool, folder: str) -> None:
        if re.match(r"[a-z]+://", item.path):
            hint = "save it in the project and name that file"
            self.problems.append(WsbError("bad-value", f"{shown(item.path)} is a web address", item.where, hints=(hint,)))
            return
        path = posixpath.normpath(posixpath.join(posixpath.dirname(inside), item.path.replace("\\", "/")))
        if path.startswith(("/", "../", "~")) or path == ".." or re.match(r"[A-Za-z]:", path) or "\0" in path:
            message = f"{shown(item.path)} is not inside the project"
            self.problems.append(WsbError("bad-value", message, item.where, hints=("copy it into the project",)))
            return
        is_environment = path.endswith((".yml", ".yaml"))
        self.file(Located(path, item.where), is_environment=is_environment, is_constraint=is_constraint, folder=folder)

    def _missing(self, path: Located[str]) -> WsbError:
        known = sorted(self._names()) if self._names is not None else []
        folder, _, name = path.value.rpartition("/")
        by_name = {one.rpartition("/")[2]: one for one in reversed(known)}
        near = by_name.get(name) or nearest(path.value, known) or by_name.get(nearest(name, by_name) or "")
        beside = [one for one in known if one.rpartition("/")[0] == folder and one.endswith((".txt", ".yml", ".yaml"))][:5]
        hints = (f"did you mean `{as_yaml(near)}`?",) if near else ()
        details = (f"there are {', '.join(beside)}",) if beside and not near else ()
        return WsbError("no-such-file", f"there is no file {shown(path.value)}", path.where, hints=hints, details=details)


def _seen_from(folder: str, item: LocalItem) -> Item:
    """A local requirement as seen from the project."""
    path = posixpath.normpath(posixpath.join(folder, item.path))
    if path.startswith("../") or path == "..":
        return NoteItem(text=f"{shown(item.path)} is not inside the project; it is left out", where=item.where)
    if not folder and ".." not in item.path.split("/"):
        return item
    return LocalItem(path="." if path == "." else f"./{path}", where=item.where)


def _read_as(text: str, path: Located[str], is_environment: bool) -> tuple[Item, ...]:
    reader = manifest_reader(path.value)
    if reader is not None:
        return reader(text, path.value)
    is_yaml = path.value.endswith((".yml", ".yaml"))
    if is_environment and (is_yaml or not path.value.endswith(".txt")):
        from builder.scan.environment import read_environment

        return read_environment(text, path.value)
    if is_yaml and not is_environment:
        hint = f"write `environment: {as_yaml(path.value)}`"
        return (WsbError("bad-value", f"{shown(path.value)} is no requirements file", path.where, hints=(hint,)),)
    return read_requirements(text, path.value)
