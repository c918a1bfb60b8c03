"""Which layers a plan needs, in cache order. Each is one file of dockerfiles/layers."""

from __future__ import annotations

from builder.model.frozen import frozen
from builder.model.lock import LockedPlatform
from builder.model.plan import Plan
from builder.model.values import Ide, Manager
from builder.render.commands import uses_uv
from builder.render.ide_tools import ide_packages


@frozen
class Layer:
    """One part of the Dockerfile. path: below dockerfiles/. title: for people, also in the progress display."""

    path: str
    title: str


def layers_of(plan: Plan) -> tuple[Layer, ...]:
    """The layers of this plan: from what never changes to what always does."""
    packages = plan.packages
    return tuple(
        layer
        for wanted, layer in (
            (True, Layer(path="layers/10-base.j2", title="base")),
            (True, Layer(path="layers/20-os.j2", title="OS packages")),
            (plan.manager.is_conda, Layer(path=f"layers/manager/{plan.manager.value}.j2", title=plan.manager.value)),
            (plan.manager.is_conda, Layer(path="layers/environment/conda.j2", title="environment")),
            (plan.manager is Manager.VENV, Layer(path="layers/environment/venv.j2", title="environment")),
            (plan.torch is not None, Layer(path="layers/50-torch.j2", title="torch")),
            (True, Layer(path="layers/55-workspace.j2", title="workspace")),
            (True, Layer(path="layers/60-user.j2", title="user")),
            (bool(apt_packages(plan)), Layer(path="layers/65-apt.j2", title="the project's OS packages")),
            (bool(packages.conda), Layer(path="layers/70-conda.j2", title="the project's conda packages")),
            *_pip_layers(plan),
            (bool(plan.editable), Layer(path="layers/80-editable.j2", title="the project itself")),
            (plan.sources.keep_ca, Layer(path="layers/85-ca.j2", title="certificate authorities")),
            (bool(plan.sources.proxies), Layer(path="layers/86-proxies.j2", title="proxies")),
            (True, Layer(path="layers/90-self.j2", title="what the image knows of itself")),
            (True, Layer(path="layers/99-labels.j2", title="labels")),
        )
        if wanted
    )


def _pip_layers(plan: Plan) -> tuple[tuple[bool, Layer], ...]:
    """uv's, sorted by size; where the Python is too old for uv, pip's own."""
    has_pip, has_ide = bool(plan.packages.pip), bool(ide_packages(plan))
    if uses_uv(plan):
        return ((has_pip or has_ide, Layer(path="layers/75-packages.j2", title="the project's pip packages")),)
    return (
        (has_pip, Layer(path="layers/75-pip.j2", title="the project's pip packages")),
        (has_ide, Layer(path="layers/77-ide.j2", title="what the IDE runs inside")),
    )


def locked_layers_of(plan: Plan, locked: LockedPlatform) -> tuple[Layer, ...]:
    """The same image from a lock: what downloads or dates something has a layer of its own, the rest is shared."""
    conda, part = plan.manager.is_conda, locked.workspace
    return tuple(
        layer
        for wanted, layer in (
            (True, Layer(path="layers/locked/base.j2", title="base")),
            (True, Layer(path="layers/locked/os.j2", title="OS packages")),
            (conda, Layer(path="layers/locked/installer.j2", title=plan.manager.value)),
            (conda, Layer(path="layers/locked/environment.j2", title="environment")),
            (not conda, Layer(path="layers/locked/venv.j2", title="environment")),
            (plan.torch is not None, Layer(path="layers/locked/torch.j2", title="torch")),
            (True, Layer(path="layers/55-workspace.j2", title="workspace")),
            (True, Layer(path="layers/locked/user.j2", title="user")),
            (bool(part.apt), Layer(path="layers/locked/apt.j2", title="the project's OS packages")),
            (bool(part.conda), Layer(path="layers/locked/conda.j2", title="the project's conda packages")),
            (bool(part.pip), Layer(path="layers/locked/pip.j2", title="the project's pip packages")),
            ("ipykernel" in ide_packages(plan), Layer(path="layers/locked/kernel.j2", title="the kernel of notebooks")),
            (bool(plan.editable), Layer(path="layers/80-editable.j2", title="the project itself")),
            (plan.sources.keep_ca, Layer(path="layers/85-ca.j2", title="certificate authorities")),
            (bool(plan.sources.proxies), Layer(path="layers/86-proxies.j2", title="proxies")),
            (True, Layer(path="layers/90-self.j2", title="what the image knows of itself")),
            (True, Layer(path="layers/99-labels.j2", title="labels")),
        )
        if wanted
    )


# What PyCharm's backend needs of the system it runs in (JetBrains' prerequisites for dev containers).
JETBRAINS_PACKAGES = ("libfreetype6", "libxext6", "libxi6", "libxrender1", "libxtst6", "unzip")

# In every image: TLS, a way to fetch, git for requirements from repositories, ps for IDE servers.
COMMON_PACKAGES = ("bash", "ca-certificates", "curl", "git", "procps")


def os_packages(plan: Plan) -> tuple[str, ...]:
    """Packages of the shared OS layer: by manager only, never by project."""
    extra: tuple[str, ...] = ()
    if plan.manager is Manager.VENV and not has_own_python(plan.base.image):
        extra = (f"python{plan.python}", f"python{plan.python}-venv")
    if plan.manager.is_conda:
        extra = ("bzip2",)
    return tuple(sorted({*COMMON_PACKAGES, *extra}))


def has_own_python(image: str) -> bool:
    """Whether a base brings its Python outside of the distribution's packages, as the python images do."""
    return image.rpartition("/")[2].startswith("python:")


def apt_packages(plan: Plan) -> tuple[str, ...]:
    """Packages of the project's own OS layer: what it asks for, and what its IDE needs."""
    for_ide = JETBRAINS_PACKAGES if Ide.PYCHARM in plan.ide else ()
    return tuple(sorted({*plan.packages.apt, *for_ide}))
