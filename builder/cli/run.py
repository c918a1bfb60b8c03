"""`wsb run -- CMD`: the project's code in its workspace, with the exit code of CMD."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli.gpu_choice import gpus_option
from builder.errors import WsbError

if TYPE_CHECKING:
    from builder.engine.base import EngineInfo

_INTERRUPTED = 130  # somebody pressed Ctrl-C: nothing is to be explained


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-e", "--env", "env", multiple=True, metavar="NAME=VALUE", help="Set a variable in the container.")
@click.option("-v", "--mount", "mounts", multiple=True, metavar="SOURCE:TARGET[:ro]", help="Mount another folder.")
@click.option("-p", "--port", "ports", multiple=True, type=click.IntRange(1, 65535), help="Publish a port on loopback.")
@click.option("--shm-size", default="", metavar="SIZE", help="Size of /dev/shm, such as 16g.")
@click.option("--network", default="", metavar="MODE", help="Network of the container: bridge, host or none.")
@gpus_option
@click.option("--cpu", "is_cpu", is_flag=True, help="Leave the GPU out; the same as --gpus none.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, required=True, metavar="[--] CMD...")
@click.pass_obj
def command(
    directory: str,
    env: tuple[str, ...],
    mounts: tuple[str, ...],
    ports: tuple[int, ...],
    shm_size: str,
    network: str,
    gpus: str | None,
    is_cpu: bool,
    words: tuple[str, ...],
) -> int:
    """Run a command of the project in its workspace; returns its exit code.

    The project lies at /workspace; files written there belong to you.
    """
    gpus = "none" if is_cpu else gpus
    return start(directory, words, env=env, mounts=mounts, ports=ports, shm_size=shm_size, network=network, gpus=gpus)


def start(
    directory: str,
    words: tuple[str, ...],
    *,
    env: tuple[str, ...] = (),
    mounts: tuple[str, ...] = (),
    ports: tuple[int, ...] = (),
    shm_size: str = "",
    network: str = "",
    gpus: str | None = None,
    explains: bool = True,
) -> int:
    """One command in the workspace, with this process's terminal and streams.

    explains: say what is known of a failure; not of a shell, whose exit code is that of whatever was typed last.
    """
    from builder.cli import common
    from builder.cli.gpu_choice import gpus_for
    from builder.doctor.tail import Tail
    from builder.launch.container import RunOptions, container_request

    console = common.console()
    engine = common.connect()
    try:
        present = common.built_workspace(engine, directory)
        if common.is_behind(present):
            console.warn("wsb.yaml or a file it names changed after this image was built", ["`wsb build` brings it up to date"])
        options = RunOptions(
            env=dict(_pair(text) for text in env),
            mounts=mounts,
            ports=ports,
            shm_size=shm_size,
            network=network,
            workdir=below(present.workspace.directory, Path(directory)),
            has_tty=sys.stdin.isatty() and sys.stdout.isatty(),
            keeps_stdin=True,
        )
        info = common.engine_info(engine)
        request = container_request(
            image=present.image.id,
            document=present.document,
            project=present.workspace.directory,
            command=words[1:] if words[0] == "--" else words,
            identity=common.identity(),
            info=info,
            options=options,
            gpus=gpus_for(console, engine, info, present.document, gpus),
            watches=True,
            image_labels=present.image.labels,
        )
        printed = Tail()
        try:
            code = engine.attach(request, printed)
        except WsbError as error:
            raise not_there(error, info) from error
        if explains and code != _INTERRUPTED:
            common.tell_cause(console, printed.known_cause(code))
        if code not in (0, _INTERRUPTED):
            from builder.cli.mending import tell_mend

            tell_mend(console, printed.output, present.workspace, present.document)
        return code
    finally:
        engine.close()


def not_there(error: WsbError, info: EngineInfo) -> WsbError:
    """A folder that the engine's machine does not have, where that machine is another one; other errors as they are."""
    missing = next((text for text in error.details if "bind source path does not exist" in text), "")
    if not missing or not info.is_remote:
        return error
    path = missing.rpartition("does not exist: ")[2].strip().strip("\"'")
    return WsbError(
        "engine-refused",
        f"{path} does not exist on the machine of {info.endpoint}, where the container runs",
        hints=[
            f"bring it there under the same path, such as with `rsync -a {path}/ HOST:{path}/`, or start wsb there",
            "`wsb build` and `wsb test` need no folder of that machine",
        ],
    )


def below(project: Path, started: Path) -> str:
    """Where wsb was started, below the project: commands run there, as they would without a container."""
    path = started.resolve().relative_to(project).as_posix()
    return "" if path == "." else path


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise WsbError("bad-value", f"--env {text!r} is not NAME=VALUE")
    return name, value
