"""`wsb shell`: a shell in the workspace, in the container an IDE has started for it where there is one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from builder.cli.gpu_choice import gpus_option


@click.command("shell")
@gpus_option
@click.option("--cpu", "is_cpu", is_flag=True, help="Leave the GPU out; the same as --gpus none.")
@click.option("--new", "is_new", is_flag=True, help="A container of its own, even where an IDE has started one.")
@click.pass_obj
def command(directory: str, gpus: str | None, is_cpu: bool, is_new: bool) -> int:
    """Open a shell in the workspace, with the environment active; returns the shell's exit code.

    Where an IDE has opened the project, the shell is in the IDE's container, unless GPUs are chosen.
    """
    return in_workspace(directory, gpus="none" if is_cpu else gpus, is_new=is_new)


def in_workspace(directory: str, *, gpus: str | None = None, is_new: bool = False) -> int:
    """A login shell, in the IDE's container where one runs."""
    from builder.cli.run import start

    words = ("bash", "-l")
    if gpus is None and not is_new:
        code = _in_ide_container(directory, words)
        if code is not None:
            return code
    return start(directory, words, gpus=gpus, explains=False)


def _in_ide_container(directory: str, words: tuple[str, ...]) -> int | None:
    """The shell's exit code; None when no IDE has a container of this project running."""
    from builder import pipeline
    from builder.cli import common
    from builder.cli.run import below
    from builder.engine.base import ExecRequest
    from builder.launch.container import WORKSPACE
    from builder.launch.ide_container import LOCAL_FOLDER, of_project, remote_user

    project = pipeline.find_directory(Path(directory))
    engine = common.connect()
    try:
        found = of_project(engine.containers(LOCAL_FOLDER), project)
        if found is None:
            return None
        common.console().line(f"in the container that an IDE started for this folder ({found.name}); --new starts another")
        return engine.enter(
            ExecRequest(
                container=found.id,
                command=words,
                user=remote_user(found.labels) or found.user,
                workdir=f"{WORKSPACE}/{below(project, Path(directory))}".rstrip("/"),
                has_tty=sys.stdin.isatty() and sys.stdout.isatty(),
                keeps_stdin=True,
            )
        )
    finally:
        engine.close()
