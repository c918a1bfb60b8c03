"""After a command that failed: the one command that mends it, where something is missing or in a wrong version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import pipeline
from builder.catalog import load
from builder.errors import Problems, WsbError
from builder.folder import Folder
from builder.model.values import Manager
from builder.packages.code import own_module
from builder.packages.declared import read_declared
from builder.packages.mend import Around, mend
from builder.ui.text import plain

if TYPE_CHECKING:
    from builder.ui.console import Console

_READ_BYTES = 1 << 17  # the end of an output: what failed last stands there


def mend_lines(text: str, workspace: pipeline.Workspace | None, manager: Manager = Manager.VENV) -> tuple[str, ...]:
    """What to tell of the last failure in a text; () when no package mends it."""
    found = mend(text, _around(workspace, manager))
    if found is None:
        return ()
    if not found.command:
        return (f"  mend      {found.because}",)
    return (f"  mend      {found.command}", f"            {found.because}")


def tell_mend(console: Console, output: bytes, workspace: pipeline.Workspace, document: Mapping[str, Any]) -> None:
    """After a command of `wsb run` that failed. document: the plan's JSON, of the image it ran in."""
    text = "\n".join(plain(line) for line in output[-_READ_BYTES:].decode("utf-8", "replace").split("\n"))
    for line in mend_lines(text, workspace, Manager(document.get("manager", "venv"))):
        console.line(line)


def project_of(directory: str) -> pipeline.Workspace | None:
    """The project a log was probably written in; None outside of one."""
    try:
        return pipeline.read(pipeline.find_directory(Path(directory)))
    except (WsbError, Problems):
        return None


def _around(workspace: pipeline.Workspace | None, manager: Manager) -> Around:
    if workspace is None:
        return Around(catalog=load(), manager=manager)
    folder = Folder(workspace.directory)
    declared = read_declared(workspace.spec, workspace.project, load())
    return Around(
        catalog=load(),
        manager=manager,
        declared=frozenset(name for one in declared for name in one.names),
        own_file=lambda top: own_module(folder.names(), top),
    )
