"""`wsb completion SHELL`: the script that teaches a shell to complete wsb's commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    For bash: `eval "$(wsb completion bash)"` in ~/.bashrc.
    """
    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root().command
    click.echo(found(root, {}, "wsb", "_WSB_COMPLETE").source())
