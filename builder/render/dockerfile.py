"""Plan → Dockerfile. Everything a template may ask is computed here; the templates only place it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from builder.model.lock import LockedBase, LockedPlatform
from builder.model.plan import Plan
from builder.model.values import Manager
from builder.render import commands, names
from builder.render.ide_tools import ide_packages, kernel_title
from builder.render.layers import apt_packages, layers_of, locked_layers_of, os_packages
from builder.render.templates import env_value, make_environment

# The line on which the part that all projects share ends.
SHARED_UNTIL = "FROM ${WSB_TORCH} AS workspace"


def render_dockerfile(templates: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    """The whole Dockerfile, ending in one newline. facts: from `values`."""
    text = make_environment(templates).get_template("Dockerfile.j2").render(facts)
    return text.rstrip("\n") + "\n"


def shared_part(dockerfile: str) -> str:
    """The text up to and including torch: two projects with the same choice have the same."""
    head, found, _ = dockerfile.partition(SHARED_UNTIL)
    if not found:
        raise ValueError("the Dockerfile has no workspace stage")
    return "".join(line for line in head.splitlines(keepends=True) if not line.startswith("#"))


def values(
    plan: Plan, *, version: str, image_labels: Mapping[str, str], locked: LockedPlatform | None = None
) -> dict[str, Any]:
    """All that templates may place. locked: what to install exactly, instead of what the plan asks for."""
    manager = plan.manager
    facts: dict[str, Any] = {
        "title": f"{plan.name}: Python {plan.python}" + (f", torch {plan.torch.local}" if plan.torch else ""),
        "wsb_version": version,
        "uv_version": names.UV_VERSION,
        "layers": locked_layers_of(plan, locked) if locked else layers_of(plan),
        "base_image": plan.base.image,
        "os_packages": os_packages(plan),
        "apt_packages": apt_packages(plan),
        "group": names.GROUP,
        "group_gid": names.GROUP_GID,
        "root_prefix": names.root_prefix(manager),
        "prefix": names.environment_prefix(manager),
        "env_python": f"{names.environment_prefix(manager)}/bin/python",
        "alias": names.environment_alias(plan),
        "python": plan.python,
        "is_conda": manager.is_conda,
        "is_micromamba": manager is Manager.MICROMAMBA,
        "epoch": names.EPOCH,
        "has_conda_function": manager in (Manager.MINICONDA, Manager.MINIFORGE),
        "tool_path": _tool_path(manager),
        "env_variables": env_variables(plan),
        "uid": plan.user.uid,
        "user": plan.user.name,
        "labels": [f"{name}={env_value(value)}" for name, value in sorted(image_labels.items())],
        "kept_proxies": [f"{name}={env_value(value)}" for name, value in plan.sources.proxies],
        "pip_install": commands.locked_install(plan, is_torch_stage=False) if locked else commands.pip_install(plan),
        "editable_install": commands.editable_install(plan, is_locked=locked is not None),
        "is_locked": locked is not None,
        "has_editable": bool(plan.editable),
        "has_torch": plan.torch is not None,
        "has_pip": bool(plan.packages.pip),
        "has_conda_packages": bool(plan.packages.conda),
        "pip_choose": commands.pip_choose(plan),
        "ide_install": commands.ide_install(plan),
        "ide_choose": commands.ide_install(plan, link_mode="symlink") if ide_packages(plan) else "",
        "chosen_install": commands.chosen_install(plan),
        "uv_program": commands.UV,
        "kernel_title": kernel_title(plan),
        "torch_wheel": bool(plan.torch and plan.torch.wheel),
    }
    if plan.torch:
        facts["torch_install"] = (
            commands.locked_install(plan, is_torch_stage=True) if locked else commands.torch_install(plan, plan.torch)
        )
        facts["torch_from"] = _torch_from(plan)
    if locked:
        facts["locked_base"] = base_at_digest(locked.base)
    if manager.is_conda:
        conda = commands.conda_commands(plan)
        facts |= {
            "installer": plan.installer,
            "conda_create": conda.create,
            "conda_install": conda.install,
            "conda_settings": conda.settings,
            "channel_flags": conda.channel_flags,
        }
    return facts


def base_at_digest(base: LockedBase) -> str:
    """The base as a registry finds exactly it; the plain name where it was made here."""
    if not base.digest:
        return base.image
    name, _, tag = base.image.rpartition(":")
    return f"{name if name and '/' not in tag else base.image}@{base.digest}"


def env_variables(plan: Plan) -> tuple[str, ...]:
    """What an activated environment sets, so that tools find it without anybody activating anything."""
    alias = names.environment_alias(plan)
    if plan.manager is Manager.VENV:
        return (f"VIRTUAL_ENV={alias}",)
    conda = (f"CONDA_DEFAULT_ENV={plan.name}", f"CONDA_PREFIX={alias}", "CONDA_SHLVL=1")
    if plan.manager is Manager.MICROMAMBA:
        root = names.root_prefix(plan.manager)
        return (*conda, f"MAMBA_EXE={root}/bin/micromamba", f"MAMBA_ROOT_PREFIX={root}")
    return conda


def _tool_path(manager: Manager) -> str:
    """Where the manager's own command lies, after the environment on PATH."""
    if manager is Manager.VENV:
        return ""
    return "/opt/conda/bin:" if manager is Manager.MICROMAMBA else "/opt/conda/condabin:"


def _torch_from(plan: Plan) -> str:
    assert plan.torch is not None
    if plan.torch.wheel:
        return "a local wheel"
    if plan.torch.find_links:
        return "PyTorch's page of wheels"
    return "PyTorch's own index" if plan.torch.index_url else "the default index, which serves this build"
