"""A change to wsb.yaml with the build that belongs to it: both, or neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from builder import pipeline
from builder.cli.packages import Project
from builder.config import read_spec
from builder.packages.config_file import ConfigFile

if TYPE_CHECKING:
    from builder.ui.console import Console


def changed(
    console: Console, project: Project, change: Callable[[str], str], *, with_build: bool, fallback: bool, network: str
) -> tuple[int, dict[str, Any]]:
    """(exit code, what a JSON document says of it). wsb.yaml is put back when what follows does not go well.

    A build follows where there is an image to bring up to date: a first build takes long, and is `wsb build`'s to begin.
    """
    file = ConfigFile(project.workspace.directory / pipeline.CONFIG)
    file.change(change)
    document: dict[str, Any] = {"changed": file.has_changed, "built": False}
    if file.has_changed:
        read_spec(file.content, pipeline.CONFIG)
        file.write()
        if pipeline.read_lock(project.workspace) is not None:
            console.line("wsb.lock is behind wsb.yaml now; `wsb lock` writes it anew")
    try:
        project.workspace = pipeline.read(project.workspace.directory)
        if not with_build or (not file.has_changed and not project.is_behind):
            return 0, document
        if project.present is None:
            console.line(f"the image is not built yet ({'; '.join(project.notes)}); `wsb build` builds it")
            return 0, document
        code = _build(console, project, fallback or project.has_fallbacks, network)
    except BaseException:
        if file.has_changed:
            file.restore()
            console.line("wsb.yaml is as it was before")
        raise
    return code, {**document, "built": True, "image": f"{project.workspace.spec.name.value}:latest"}


def _build(console: Console, project: Project, fallback: bool, network: str) -> int:
    """As `wsb build` does it."""
    from builder.cli.building import How, build, quick_proof

    assert project.engine is not None
    plan = project.plan(fallback=fallback)
    for warned in plan.warnings:
        console.warn(warned.message)
    done = build(console, project.engine, plan, project.workspace, How(network=network))
    report = quick_proof(console, project.engine, plan, project.workspace, done.built.image)
    return 0 if report is None or report.has_passed else 1
