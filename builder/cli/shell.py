"""`wsb shell`: a shell in the workspace."""

from __future__ import annotations

import click


@click.command("shell")
@click.option("--cpu", "is_cpu", is_flag=True, help="Leave the GPU out.")
@click.pass_obj
def command(directory: str, is_cpu: bool) -> int:
    """Open a shell in the workspace, with the environment active; returns the shell's exit code."""
    from builder.cli.run import start

    return start(directory, ("bash", "-l"), is_cpu=is_cpu)
