"""Opening a project in an IDE: which of its dev container files, and the words the IDE's own command understands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from builder.engine.base import EngineInfo
from builder.launch.container import WORKSPACE, Identity
from builder.model.frozen import frozen

# Commands by which the IDEs are started, the usual one first.
CODE = ("code", "code-insiders", "codium", "/Applications/Visual Studio Code.app/Contents/Resources/app/bin/code")
PYCHARM = ("pycharm", "charm", "pycharm-professional", "pycharm.sh", "/Applications/PyCharm.app/Contents/MacOS/pycharm")


@frozen
class Variant:
    """One dev container file. path: below the project. because: why this one, "" for the usual one."""

    path: str
    because: str = ""


def chosen_variant(
    document: Mapping[str, Any], identity: Identity, info: EngineInfo, has_file: Callable[[str], bool], wanted: str = "auto"
) -> Variant:
    """The file to open: the wanted one, else the one that fits this user and this engine.

    document: the plan as the image carries it. wanted: auto, gpu, cpu or root. has_file: whether the project has a path.
    """
    gpu, cpu, root = (f".devcontainer/{name}/devcontainer.json" for name in ("gpu", "cpu", "root"))
    if wanted != "auto":
        return Variant(path=f".devcontainer/{wanted}/devcontainer.json")
    if (identity.uid == 0 or (info.is_rootless and info.kind == "docker")) and has_file(root):
        who = "you are root" if identity.uid == 0 else "the engine is rootless, so root inside is you"
        return Variant(path=root, because=who)
    mode = document.get("passthrough", "none")
    if info.kind == "podman":  # which stops at a GPU that is optional
        return Variant(path=gpu if mode != "none" and has_file(gpu) else cpu, because="the engine is Podman")
    if mode not in ("none", "gpus") and has_file(gpu):
        return Variant(path=gpu, because=f"the GPU is handed in by {mode}, which VS Code does not find by itself")
    return Variant(path=".devcontainer/devcontainer.json")


def vscode_uri(project: Path, variant: Variant, *, wsl_distribution: str = "") -> str:
    """The address that `code --folder-uri` opens the project's container with.

    wsl_distribution: set where this is Linux under Windows, whose VS Code sees the folder as a share.
    """
    host_path = str(project)
    if wsl_distribution:
        host_path = f"\\\\wsl.localhost\\{wsl_distribution}{host_path}".replace("/", "\\")
    what = host_path
    if variant.path != ".devcontainer/devcontainer.json":
        config = {"$mid": 1, "path": f"{project.as_posix()}/{variant.path}", "scheme": "file"}
        what = json.dumps({"hostPath": host_path, "configFile": config}, separators=(",", ":"))
    return f"vscode-remote://dev-container+{what.encode().hex()}{WORKSPACE}"


def pycharm_url(project: Path, variant: Variant) -> str:
    """The address that JetBrains' Toolbox opens a known project at that file with."""
    return f"jetbrains://pycharm/navigate/reference?project={quote(project.name)}&path={quote(variant.path)}"


def found_command(names: tuple[str, ...], which: Callable[[str], str | None]) -> str | None:
    """The first of these commands that is installed."""
    return next((found for name in names if (found := which(name))), None)


def jupyter_command(module: str, port: int) -> tuple[str, ...]:
    """The notebook server inside the container; the token comes as JUPYTER_TOKEN, so that no list of processes shows it.

    It listens on every address of the container, of which the engine publishes the port on this machine's loopback alone.
    """
    options = (
        "--ip=0.0.0.0",
        f"--port={port}",
        "--port-retries=0",
        "--no-browser",
        "--allow-root",
        "--ServerApp.answer_yes=True",  # Ctrl-C ends it: nobody could answer the question it would ask
        f"--ServerApp.root_dir={WORKSPACE}",
    )
    return ("python", "-m", module, *options)


# Prints the module of the notebook server that the environment has, if any.
FIND_JUPYTER = "import importlib.util as u; print(next((m for m in ('jupyterlab', 'notebook') if u.find_spec(m)), ''))"
