"""`wsb open`: the workspace in an IDE, in Jupyter, or as a shell; where it cannot be opened, what to do by hand."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.errors import WsbError

if TYPE_CHECKING:
    from builder.cli.common import Present
    from builder.engine.base import Engine
    from builder.launch.ide import Variant
    from builder.ui.console import Console


@click.command("open")
@click.argument("what", type=click.Choice(["vscode", "pycharm", "jupyter", "terminal"]))
@click.option(
    "--variant",
    type=click.Choice(["auto", "gpu", "cpu", "root"]),
    default="auto",
    help="Which of the dev container's files; by default the one that fits this user and this engine.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Jupyter's port on this machine (default: 8888, or a free one).")
@click.option("--print", "is_printed", is_flag=True, help="Print the address, open nothing.")
@click.pass_obj
def command(directory: str, what: str, variant: str, port: int | None, is_printed: bool) -> int:
    """Open the workspace in VS Code, PyCharm, Jupyter or a terminal.

    Prints the address that was opened; where the IDE's command is not installed, what to click.
    """
    from builder.cli import common

    if what == "terminal":
        from builder.cli.shell import in_workspace

        return in_workspace(directory)
    console = common.console()
    engine = common.connect()
    try:
        present = common.built_workspace(engine, directory)
        if common.is_behind(present):
            console.warn("wsb.yaml or a file it names changed after this image was built", ["`wsb build` brings it up to date"])
        if what == "jupyter":
            return _jupyter(console, engine, present, variant, port)
        chosen = _variant(console, engine, present, variant)
    finally:
        engine.close()
    if what == "vscode":
        return _vscode(console, present.workspace.directory, chosen, is_printed=is_printed)
    return _pycharm(console, present, chosen, is_printed=is_printed)


def _variant(console: Console, engine: Engine, present: Present, wanted: str) -> Variant:
    from builder.cli import common
    from builder.launch.ide import chosen_variant

    project = present.workspace.directory
    chosen = chosen_variant(
        present.document, common.identity(), common.engine_info(engine), lambda path: (project / path).is_file(), wanted
    )
    if not (project / chosen.path).is_file():
        hints = ["`wsb render` writes the files of this plan"]
        raise WsbError("no-such-file", f"there is no {chosen.path} in {project}", hints=hints)
    if chosen.because:
        console.line(f"taking {chosen.path}, because {chosen.because}")
    return chosen


def _vscode(console: Console, project: Path, variant: Variant, *, is_printed: bool) -> int:
    from builder.launch.ide import CODE, found_command, vscode_uri

    uri = vscode_uri(project, variant, wsl_distribution=os.environ.get("WSL_DISTRO_NAME", ""))
    code = found_command(CODE, shutil.which)
    if not is_printed and code is not None:
        _started([code, "--folder-uri", uri])
    elif not is_printed:
        console.line("VS Code's command `code` is not installed here. By hand:")
        console.line("  1. install VS Code and its extension Dev Containers (ms-vscode-remote.remote-containers)")
        console.line(f"  2. File → Open Folder… → {project}")
        console.line(f"  3. F1 → Dev Containers: Reopen in Container → {variant.path}")
    console.product(uri)
    return 0


def _pycharm(console: Console, present: Present, variant: Variant, *, is_printed: bool) -> int:
    from builder.launch.ide import PYCHARM, found_command, pycharm_url

    project = present.workspace.directory
    pycharm = found_command(PYCHARM, shutil.which)
    if not is_printed:
        if pycharm is not None:
            _started([pycharm, str(project), str(project / variant.path)])
        else:
            console.line("PyCharm's command `pycharm` is not installed here; the address below opens it through its Toolbox.")
        console.line(f"1. open {variant.path} in PyCharm")
        console.line("2. the cube in its gutter → Create Dev Container and Mount Sources… → Connect")
        console.line("3. there: Settings → Python → Interpreter → Add Interpreter → Add Local Interpreter → Select existing →")
        console.line(f"   {present.document['environment']['python']}")
        console.line("4. run the configuration `wsb smoke test`")
        console.line("the same with the Docker interpreter as another way: .devcontainer/PYCHARM.md")
    console.product(pycharm_url(project, variant))
    return 0


def _started(command: list[str]) -> None:
    """An IDE's own command, which comes back at once or goes on by itself; its words are not ours."""
    try:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        raise WsbError("tool-missing", f"{command[0]} does not start: {error.strerror}") from error


def _jupyter(console: Console, engine: Engine, present: Present, variant: str, wanted: int | None) -> int:
    """Jupyter in the foreground, until it is interrupted or stopped from its own menu."""
    from builder.cli import common
    from builder.cli.gpu_choice import gpus_for
    from builder.engine.base import Output
    from builder.launch.container import RunOptions, container_request
    from builder.launch.ide import FIND_JUPYTER, jupyter_command

    info = common.engine_info(engine)
    request = partial(
        container_request,
        image=present.image.id,
        document=present.document,
        project=present.workspace.directory,
        identity=common.identity(),
        info=info,
        image_labels=present.image.labels,
    )
    said: list[bytes] = []

    def take(output: Output) -> None:
        if not output.is_stderr:
            said.append(output.data)

    asking = RunOptions(env={}, publishes_ports=False)
    engine.run(request(command=("python", "-c", FIND_JUPYTER), options=asking, with_gpu=False), take)
    module = b"".join(said).decode().strip()
    if not module:
        name = present.document["name"]
        hints = [f"add jupyter to `ide` in wsb.yaml (`ide: [vscode, pycharm, jupyter]`) and run `wsb build` for {name}"]
        raise WsbError("tool-missing", "neither jupyterlab nor notebook is in this environment", hints=hints)
    port, token = _free_port(wanted), secrets.token_urlsafe(24)
    page = "lab" if module == "jupyterlab" else "tree"
    console.product(f"http://127.0.0.1:{port}/{page}?token={token}")
    options = RunOptions(env={"JUPYTER_TOKEN": token}, ports=(port,))
    gpus = gpus_for(console, engine, info, present.document, "none" if variant == "cpu" else None, "auto")
    return engine.attach(request(command=jupyter_command(module, port), options=options, gpus=gpus))


def _free_port(wanted: int | None) -> int:
    """The wanted port, else Jupyter's own where nobody has it, else any that is free."""
    for port in (8888, 0) if wanted is None else (wanted,):
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = listening.getsockname()[1]
            return found
    raise WsbError(
        "bad-value", f"port {wanted} is taken on this machine", hints=["name another: `--port`, or none for a free one"]
    )
