"""Plan → .devcontainer/: one file for every way to open the workspace, and the part of them that the image itself carries.

`devcontainer.json` opens on a host with a GPU and on one without. An IDE finds the GPU of its own accord only where Docker's
nvidia runtime is registered, and PyCharm never does: `gpu/` says in so many words how it is handed in, `cpu/` leaves it out,
and `root/` is for a host user who is root, or an engine without root, where root inside is the host's own user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from builder.model.plan import Plan
from builder.model.values import Ide, Manager, Passthrough
from builder.render.merging import merged
from builder.render.names import image_tag, interpreter, root_prefix

# Parts of devcontainer/, by path without .json.
Parts = Mapping[str, Mapping[str, Any]]


def devcontainer_files(plan: Plan, parts: Parts) -> dict[str, dict[str, Any]]:
    """Path → document, of every variant that means something for this plan."""
    mode = gpu_mode(plan)
    is_amd = plan.torch is not None and plan.torch.variant.is_rocm
    has_nvidia = mode in (Passthrough.GPUS, Passthrough.CDI, Passthrough.RUNTIME) and not is_amd
    part = "cdi-amd" if mode is Passthrough.CDI and is_amd else mode.value
    handed_in = [] if mode is Passthrough.NONE else [parts[f"gpu/{part}"]]
    variants: dict[str, tuple[str, list[Mapping[str, Any]]]] = {
        "devcontainer.json": ("", [parts["auto"]] if has_nvidia else []),
        "cpu/devcontainer.json": (" (CPU)", [parts["cpu"]]),
        # for this very host: with the GPU only where the plan saw a way
        "root/devcontainer.json": (
            " (as root)",
            [*(handed_in if plan.passthrough is not Passthrough.NONE else []), parts["root"]],
        ),
    }
    if mode is not Passthrough.NONE:
        variants["gpu/devcontainer.json"] = (" (GPU)", handed_in)
    return {
        f".devcontainer/{path}": merged({"name": f"{plan.name}{title}"}, _common(plan, parts), *overlays)
        for path, (title, overlays) in variants.items()
    }


def devcontainer_metadata(plan: Plan, parts: Parts) -> list[dict[str, Any]]:
    """The image's label: what an IDE needs to open the bare image well.

    How the GPU is reached, where the project lies and what runs at a start cannot live there, or would run twice.
    """
    return [merged(parts["metadata"], _user(plan), _customizations(plan, parts))]


def gpu_mode(plan: Plan) -> Passthrough:
    """How gpu/ hands the GPU in; none where nothing in the environment could use one.

    A plan made on a machine without a GPU for its build is rendered for those that have one, in their usual way.
    """
    if plan.passthrough is not Passthrough.NONE or plan.torch is None:
        return plan.passthrough
    if plan.torch.variant.is_rocm:
        return Passthrough.ROCM
    return Passthrough.GPUS if plan.torch.variant.cuda else Passthrough.NONE


def _common(plan: Plan, parts: Parts) -> dict[str, Any]:
    ports = [port for port in plan.run.ports if port not in parts["base"]["forwardPorts"]]
    own: dict[str, Any] = {
        "image": image_tag(plan),
        "initializeCommand": prepare_command(plan),
        "runArgs": ["--label", f"dev.wsb.name={plan.name}", "--shm-size", plan.run.shm_size],
        "forwardPorts": ports,
        "containerEnv": dict(plan.run.env),
    }
    if plan.run.mounts:
        own["mounts"] = [mount(text) for text in plan.run.mounts]
    return merged(own, parts["base"], _user(plan), _customizations(plan, parts))


def prepare_command(plan: Plan) -> str:
    """What the IDE runs on the host before it looks for the image; the same words for sh and for cmd.exe.

    wsb itself where it is installed; else the image that is there; else the rendered Dockerfile, built with docker alone.
    A name that nobody built is never pulled from a registry, where it would be a stranger's.
    """
    tag = image_tag(plan)
    build = "wsb build --if-needed" + (" --fallback" if plan.fallbacks else "")
    return f"{build} || docker image inspect --format built {tag} || docker build --tag {tag} ."


def mount(text: str) -> str:
    """run.mounts' source:target[:ro] as --mount takes it; a relative source lies below the project."""
    source, target, *rest = text.split(":")
    kind = "bind"
    if source.startswith("~"):
        source = "${localEnv:HOME}" + source[1:]
    elif not source.startswith("/"):
        source = "${localWorkspaceFolder}/" + source.removeprefix("./")
    return f"source={source},target={target},type={kind}" + (",readonly" if "ro" in rest else "")


def _user(plan: Plan) -> dict[str, Any]:
    # by name: JetBrains takes a number literally, and the uid may become the host's
    return {"remoteUser": plan.user.name}


def _customizations(plan: Plan, parts: Parts) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if Ide.VSCODE in plan.ide:
        chosen["vscode"] = merged(parts["ide/vscode"], {"settings": _settings(plan)})
    if Ide.PYCHARM in plan.ide:
        chosen["jetbrains"] = merged(parts["ide/pycharm"])
    return {"customizations": chosen} if chosen else {}


def _settings(plan: Plan) -> dict[str, Any]:
    """Where this plan's Python and conda lie: literal paths, since the IDE passes over what it cannot expand."""
    found = {"python.defaultInterpreterPath": interpreter(plan)}
    if plan.manager in (Manager.MINICONDA, Manager.MINIFORGE):
        found["python.condaPath"] = f"{root_prefix(plan.manager)}/bin/conda"
    return found
