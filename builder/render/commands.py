"""The commands of the installing steps, as shell text: what conda, micromamba, uv and pip are asked to do."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from packaging.version import Version

from builder.model.frozen import frozen
from builder.model.plan import Plan, TorchPlan
from builder.model.values import Manager
from builder.render.ide_tools import ide_packages
from builder.render.names import environment_prefix, root_prefix

UV = "/opt/wsb/uv/bin/uv"
NEXT = " \\\n && "


@frozen
class CondaCommands:
    """How this manager's program is called; settings are shell assignments for one step."""

    create: str
    install: str
    settings: str
    channel_flags: str


def conda_commands(plan: Plan) -> CondaCommands:
    """For Miniconda, Miniforge and micromamba, which take the same words after their names."""
    prefix = environment_prefix(plan.manager)
    settings = ["CONDA_PKGS_DIRS=/opt/wsb/pkgs"]
    if plan.torch and (cuda := plan.torch.variant.cuda):
        # No GPU is visible during a build: what was decided is written out, nothing is detected.
        settings.append(f"CONDA_OVERRIDE_CUDA={cuda}")
    program = f"{root_prefix(plan.manager)}/bin/conda"
    if plan.manager is Manager.MICROMAMBA:
        program = f"{root_prefix(plan.manager)}/bin/micromamba"
        settings.append(f"MAMBA_ROOT_PREFIX={root_prefix(plan.manager)}")
    return CondaCommands(
        create=f"{program} create --yes --prefix {prefix}",
        install=f"{program} install --yes --prefix {prefix}",
        settings=" ".join(settings),
        channel_flags=" ".join(["--override-channels", *(f"--channel {shlex.quote(name)}" for name in plan.channels)]),
    )


def uses_uv(plan: Plan) -> bool:
    """uv installs into Python 3.8 and later; older environments are served by their own pip."""
    return Version(plan.python) >= Version("3.8")


def _installer(plan: Plan, link_mode: str = "copy") -> list[str]:
    python = f"{environment_prefix(plan.manager)}/bin/python"
    if not uses_uv(plan):
        return [f"{python} -m pip install --no-cache-dir"]
    return [f"/bin/sh /run/wsb/uv/get-uv {python}{NEXT}{UV} pip install --link-mode {link_mode} --python {python}"]


def torch_requirements(torch: TorchPlan) -> tuple[str, ...]:
    """torch and the companions this project uses, each pinned to the build of the plan."""
    return (f"torch=={torch_pin(torch)}", *_companions(torch, torch.install_companions))


def _companions(torch: TorchPlan, names: Iterable[str]) -> tuple[str, ...]:
    versions = {"torchvision": torch.torchvision, "torchaudio": torch.torchaudio}
    return tuple(f"{name}=={versions[name]}" for name in names if versions[name])


def torch_pin(torch: TorchPlan) -> str:
    """The version an installer is asked for: with the build where an index holds several builds."""
    return torch.local if torch.index_url or torch.find_links or torch.wheel else torch.version


def torch_install(plan: Plan, torch: TorchPlan) -> str:
    """The command of the torch step."""
    words = _installer(plan) + _torch_sources(plan, torch)
    words += [shlex.quote(requirement) for requirement in torch_requirements(torch)]
    return " \\\n      ".join(words)


def _torch_sources(plan: Plan, torch: TorchPlan) -> list[str]:
    if torch.wheel:
        return ["--find-links /run/wsb/wheels"]
    if torch.find_links:
        return [f"--find-links {shlex.quote(torch.find_links)}"]
    if torch.index_url and uses_uv(plan):
        # torch's index holds old copies of torch's own dependencies: each comes from wherever it is newest.
        return [f'--index "${{WSB_TORCH_INDEX:-{torch.index_url}}}" --index-strategy unsafe-best-match']
    if torch.index_url:
        return [f'--extra-index-url "${{WSB_TORCH_INDEX:-{torch.index_url}}}"']
    return []


def pip_install(plan: Plan, link_mode: str = "copy") -> str:
    """The command that installs the project's own pip packages."""
    words = _installer(plan, link_mode) + _pip_sources(plan)
    words += ["--constraint /run/wsb/pip/constraints.txt", "--requirement /run/wsb/pip/requirements.txt"]
    return " \\\n      ".join(words)


def pip_choose(plan: Plan) -> str:
    """The same into the stage that is thrown away: links into uv's cache tell what there is as well as copies would."""
    return pip_install(plan, link_mode="symlink")


def chosen_install(plan: Plan) -> str:
    """The command that installs one of the two lists of that stage, whose place comes last, and nothing beside it."""
    words = [*_installer(plan), "--no-deps", *_pip_sources(plan), "--requirement"]
    return " \\\n      ".join(words)


def _pip_sources(plan: Plan) -> list[str]:
    """Where the project's own packages come from, and how those are built that come as source."""
    # a local wheel is only needed once: torch is installed by now, and held by the constraints
    words = _torch_sources(plan, plan.torch) if plan.torch and not plan.torch.wheel else []
    words += [f"--no-build-isolation-package {shlex.quote(name)}" for name in plan.packages.no_build_isolation]
    words += [f"--find-links {shlex.quote(page)}" for page in plan.sources.find_links]
    return words


def index_options(plan: Plan, *, is_torch_stage: bool) -> str:
    """Where one stage's packages are looked for: the options of its installing command, as shell text."""
    wheel = plan.torch is not None and plan.torch.wheel is not None
    words = _torch_sources(plan, plan.torch) if plan.torch and (is_torch_stage or not wheel) else []
    if not is_torch_stage:
        words += [f"--find-links {shlex.quote(page)}" for page in plan.sources.find_links]
    return " ".join(words)


def download_options(plan: Plan) -> str:
    """Where pip finds the packages of both stages, as shell text: `pip download` fills a bundle."""
    torch = plan.torch
    words = ["--find-links /run/wsb/wheels"] if torch and torch.wheel else []
    words += [f"--find-links {shlex.quote(torch.find_links)}"] if torch and torch.find_links else []
    if torch and torch.index_url:
        words.append(f'--extra-index-url "${{WSB_TORCH_INDEX:-{torch.index_url}}}"')
    words += [f"--find-links {shlex.quote(page)}" for page in plan.sources.find_links]
    return " ".join(words)


def locked_install(plan: Plan, *, is_torch_stage: bool) -> str:
    """The command that installs what the lock has for a stage, and nothing else."""
    python = f"{environment_prefix(plan.manager)}/bin/python"
    words = (f"sh /run/wsb/locked/pip {python}", index_options(plan, is_torch_stage=is_torch_stage))
    return f"/bin/sh /run/wsb/uv/get-uv {python}{NEXT}{' '.join(filter(None, words))}"


def ide_install(plan: Plan, link_mode: str = "copy") -> str:
    """The command that installs what IDEs run inside the environment; torch and the project's packages stay as they are."""
    words = [*_installer(plan, link_mode), "--constraint /tmp/held.txt", *ide_packages(plan)]
    return " \\\n      ".join(words)


def editable_install(plan: Plan, *, is_locked: bool = False) -> str:
    """The command that installs directories of the project editable, as they will be mounted at run time."""
    words = [*_installer(plan), *(["--no-deps"] if is_locked else [])]
    for path in plan.editable:
        place = "/workspace" if path in (".", "") else f"/workspace/{path.removeprefix('./')}"
        words.append(f"--editable {shlex.quote(place)}")
    return " \\\n      ".join(words)


def constraints(plan: Plan) -> tuple[str, ...]:
    """What a project's own packages may not change: torch, its companions (which another package may ask for), and what
    torch itself cannot bear."""
    torch = plan.torch
    pinned = (f"torch=={torch_pin(torch)}", *_companions(torch, ("torchvision", "torchaudio"))) if torch else ()
    return tuple(sorted({*pinned, *plan.packages.constraints}))
