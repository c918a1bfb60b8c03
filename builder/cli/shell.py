"""`wsb shell`: a shell in the workspace."""

from __future__ import annotations

import click

from builder.cli.gpu_choice import gpus_option


@click.command("shell")
@gpus_option
@click.option("--cpu", "is_cpu", is_flag=True, help="Leave the GPU out; the same as --gpus none.")
@click.pass_obj
def command(directory: str, gpus: str | None, is_cpu: bool) -> int:
    """Open a shell in the workspace, with the environment active; returns the shell's exit code."""
    from builder.cli.run import start

    return start(directory, ("bash", "-l"), gpus="none" if is_cpu else gpus)
