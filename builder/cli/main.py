"""The `wsb` command: finds the verb, and turns whatever went wrong into a message and an exit code.

A verb's module is imported only when that verb runs, so `wsb --help` stays quick; the one-line helps live here for that.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from typing import Any

import click

from builder import __version__

# verb → (module below builder.cli, what `wsb --help` says of it), in the order people need them.
VERBS: dict[str, tuple[str, str]] = {
    "init": ("init", "Read the project and write its wsb.yaml, with a reason beside each choice."),
    "plan": ("plan", "Show what would be built, and why; needs no engine."),
    "explain": ("explain", "Say why: the decisions, and the chain from IDE to GPU."),
    "catalog": ("catalog", "Ask the tables: torch builds, GPUs, drivers, images, import names."),
    "render": ("render", "Write the Dockerfile and all that belongs to it into the project."),
    "build": ("build", "Build the workspace's image and prove it."),
    "test": ("test", "Run the smoke tests in the container."),
    "run": ("run", "Run a command of the project in its workspace."),
    "shell": ("shell", "Open a shell in the workspace."),
    "sources": ("sources", "List mirrors, measure them from here, and keep the best for this machine."),
    "lock": ("lock", "Write wsb.lock: every package by version and hash."),
    "bundle": ("bundle", "Write all that a build without network needs into one folder."),
    "save": ("save", "Write the built image into one file."),
    "load": ("load", "Take an image from such a file."),
    "push": ("push", "Push the built image to a registry, by plan and by name."),
    "torch-image": ("torch_image", "Make the torch image that projects share; --push puts it into a registry."),
    "bake": ("bake", "Print a bake file for many workspaces."),
    "sbom": ("sbom", "What is in the workspace, as a CycloneDX document."),
    "digest": ("digest", "The digest of a built image's file tree, and what differs from another."),
    "add": ("add", "Add packages by the names people use, and build them in."),
    "remove": ("remove", "Take packages out, and build without them."),
    "list": ("list", "List the workspace's packages, and who asked for each."),
    "search": ("search", "Say what a name means, and what an index has of it."),
    "check": ("check", "Hold the project's imports against its packages; --fix mends wsb.yaml."),
    "ls": ("ls", "List the workspaces on this engine, their sizes and what they share."),
    "rm": ("rm", "Remove workspaces; what others share stays."),
    "prune": ("prune", "Free what no workspace uses any more; says first what."),
    "open": ("open", "Open the workspace in VS Code, PyCharm, Jupyter or a terminal."),
    "doctor": ("doctor", "Examine this machine, link by link: GPU, driver, toolkit, engine, network."),
    "diagnose": ("diagnose", "Read a log and name the known error, its cause and what helps."),
    "export": ("export", "Write the image as a bundle or a file for clusters."),
    "submit": ("submit", "Run a command on several nodes of a Slurm or a Kubernetes."),
    "status": ("status", "Say where submitted jobs stand."),
    "logs": ("logs", "Show what a submitted job prints."),
    "cancel": ("cancel", "End a submitted job."),
    "schema": ("schema", "Print the JSON Schema of wsb.yaml, for editors."),
    "completion": ("completion", "Print the shell's completion script."),
}


# objects made before Python looks for cycles among them; what importing and planning make is tables, which all stay
_OBJECTS = 20_000


class Verbs(click.Group):
    """A group whose commands are imported when they are used."""

    def make_context(self, *words: Any, **more: Any) -> click.Context:
        # click would ask `shutil`, which imports every compressor of Python: a twentieth of what `wsb --help` takes
        return super().make_context(*words, **{"terminal_width": _width(), **more})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"builder.cli.{VERBS[cmd_name][0]}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean `wsb {near[0]}`?" if near else " `wsb --help` lists the commands."
            raise click.UsageError(f"wsb knows no command {args[0]!r}.{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "directory", metavar="DIR", default=".", help="Work as if started in DIR.")
@click.version_option(__version__, "--version", prog_name="wsb", message="%(prog)s %(version)s")
@click.pass_context
def wsb(ctx: click.Context, directory: str) -> None:
    """Turn a project folder into a reproducible PyTorch workspace.

    wsb.yaml is read, the versions that this driver and this GPU can run are decided, a container with the environment is
    built, and tests inside it prove that it is what was decided.
    """
    ctx.obj = directory


def _width() -> int:
    """Columns for help: of the terminal, with a margin, and not wider than can be read."""
    try:
        columns = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]
    except (ValueError, OSError, AttributeError):
        columns = 0
    return max(min(columns or 80, 110) - 2, 50)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit. The only place that turns exceptions into exit codes."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for number in (signal.SIGTERM, signal.SIGHUP):
        # as an exception, so that a build is cancelled on the engine and a container is removed
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    gc.set_threshold(_OBJECTS)
    code = run(arguments)
    gc.freeze()  # else Python looks for cycles in all that it is about to let go of: a tenth of what `wsb plan` takes
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    try:
        result: Any = wsb.main(args=arguments, prog_name="wsb", standalone_mode=False)
    except Exception as error:
        from builder.cli.failures import report

        return report(error, arguments)
    except KeyboardInterrupt as error:
        from builder.cli.failures import report

        return report(error, arguments)
    return result if isinstance(result, int) else 0
