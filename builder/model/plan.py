"""Everything decided, nothing left open. A Plan is made by resolve, shown by `wsb plan`, and read by render."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from builder.model.frozen import frozen
from builder.model.values import Flavour, Ide, Manager, Passthrough, Variant


@frozen
class Rejected:
    """An alternative that was not taken."""

    value: str
    because: str


@frozen
class Decision:
    """One decided value. field: dotted path into the plan's JSON, such as torch.variant."""

    field: str
    value: str
    because: str
    rejected: tuple[Rejected, ...] = ()


@frozen
class Warned:
    """Something a user should know about this plan. code: kebab-case, stable."""

    code: str
    message: str


@frozen
class Fallback:
    """A step `--fallback` took. wanted → taken, because the source could not be reached."""

    source: str
    wanted: str
    taken: str
    because: str


@frozen
class TorchPlan:
    """The torch build to install.

    version: the release, such as "2.6.0". local: with its build, "2.6.0+cu126" (the spelling `torch.__version__` prints).
    index_url: the index to install from; None when the default index serves exactly this build.
    find_links: a page of wheels, for the releases that have no index.
    wheel: file name of a local wheel, when that is where it comes from.
    torchvision, torchaudio: the releases made for this torch; None when there is none.
    install_companions: which of torchvision and torchaudio this project uses, so installed beside torch.
    """

    version: str
    variant: Variant
    index_url: str | None = None
    find_links: str | None = None
    wheel: str | None = None
    torchvision: str | None = None
    torchaudio: str | None = None
    install_companions: tuple[str, ...] = ()

    @property
    def local(self) -> str:
        return f"{self.version}+{self.variant}"


@frozen
class BasePlan:
    """image: a reference, or wsb's own name for a bootstrapped base. bootstrap: the suite, when made from packages."""

    image: str
    flavour: Flavour = Flavour.PLAIN
    bootstrap: str | None = None


@frozen
class InstallerPlan:
    """The manager's own installer: where it lies and what it must hash to."""

    kind: Literal["Miniconda3", "Miniforge3", "micromamba"]
    version: str
    url: str
    sha256: str


@frozen
class PackagesPlan:
    """Beside torch. pip lines are requirement lines; constraints keep what torch needs (numpy<2) without asking for it.

    no_build_isolation: names among pip that are compiled against the installed torch, so must see it while they build.
    """

    conda: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    no_build_isolation: tuple[str, ...] = ()


@frozen
class SourcesPlan:
    """Where each kind of thing is taken from; None means its usual place. URLs, or absolute local paths.

    of_machine: (kind, address) from this machine's own settings, for what the project leaves open: used, and told nobody.
    proxies: variables of the machine that builds, set in the image; empty unless keep_proxies asks for them.
    """

    registry: str | None = None
    apt: str | None = None
    conda: str | None = None
    miniconda: str | None = None
    pip: str | None = None
    extra_pip: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    torch: str | None = None
    ca: str | None = None
    keep_ca: bool = False
    keep_proxies: bool = False
    proxies: tuple[tuple[str, str], ...] = ()
    of_machine: tuple[tuple[str, str], ...] = ()

    @property
    def used(self) -> SourcesPlan:
        """With what this machine adds where the project leaves it open."""
        added: dict[str, Any] = {kind: url for kind, url in self.of_machine if getattr(self, kind) is None}
        return replace(self, of_machine=(), **added)


@frozen
class UserPlan:
    name: str = "dev"
    uid: int = 1000


@frozen
class RunPlan:
    """How a container of the image is started. shm_size: docker's spelling, such as 8g."""

    shm_size: str = "8g"
    ports: tuple[int, ...] = ()
    mounts: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


@frozen
class Plan:
    """One workspace, decided.

    platform: as OCI spells it, linux/amd64. python: "3.11". libc_min: glibc the torch wheel asks for, "2.28" or None.
    editable: directories of the project to install editable ("." first), relative to it.
    requirement_files: project files the pip lines came from; they are part of the context only through those lines.
    digest: sha256 over what changes the image, "sha256:…".
    """

    name: str
    platform: str
    manager: Manager
    python: str
    torch: TorchPlan | None
    base: BasePlan
    installer: InstallerPlan | None
    packages: PackagesPlan
    channels: tuple[str, ...]
    editable: tuple[str, ...]
    sources: SourcesPlan
    user: UserPlan
    run: RunPlan
    ide: tuple[Ide, ...]
    passthrough: Passthrough
    decisions: tuple[Decision, ...]
    warnings: tuple[Warned, ...]
    fallbacks: tuple[Fallback, ...] = ()
    digest: str = ""
