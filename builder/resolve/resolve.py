"""Spec × Catalog × Host → Plan: the rules in the order in which they decide."""

from __future__ import annotations

from dataclasses import replace

from builder.catalog import Catalog
from builder.errors import WsbError
from builder.model.host import Host, Reach
from builder.model.plan import Plan, RunPlan, UserPlan
from builder.model.project import Project
from builder.model.spec import Spec
from builder.model.values import CPU, Ide, Passthrough
from builder.resolve.base import NoCompiler, OtherPythons, choose_base
from builder.resolve.document import digest
from builder.resolve.given import Given, admits_python, listed, newest
from builder.resolve.ground import Ground, choose_ground
from builder.resolve.notes import Notes
from builder.resolve.packages import choose_channels, gather
from builder.resolve.passthrough import choose_passthrough
from builder.resolve.sources import choose_installer, choose_sources
from builder.resolve.target import Target, choose_target
from builder.resolve.torch import Torch, choose_torch
from builder.resolve.wants import Wants, read_wants


def resolve(
    spec: Spec,
    project: Project,
    catalog: Catalog,
    host: Host,
    *,
    reach: Reach | None = None,
    accept_anaconda_terms: bool = False,
) -> Plan:
    """Everything decided, with the reason for each decision.

    reach: what a quick look told of the sources; with it, what is out of reach is replaced. None: nothing is.
    Raises WsbError or Problems, with the place in a file that caused it and the nearest thing that works.
    """
    given = Given(
        spec=spec,
        project=project,
        catalog=catalog,
        host=host,
        reach=reach,
        accept_anaconda_terms=accept_anaconda_terms,
    )
    compilers: tuple[str, ...] | None = None
    with_compiler = False
    for _ in range(3):  # another Python may mean another torch, and that another CUDA, once
        try:
            return _decide(given, compilers, with_compiler)
        except OtherPythons as other:
            compilers = other.pythons
        except NoCompiler:
            if with_compiler:
                raise
            with_compiler = True  # another build of the same torch may be of a CUDA whose compiler is still there
    raise WsbError(
        "no-such-base",
        "something must be compiled, and no compiler image has a Python that torch is built for",
        spec.where,
        hints=("with `manager: miniconda` the environment has a Python of its own, independent of the base",),
    )


def _decide(given: Given, compilers: tuple[str, ...] | None, with_compiler: bool) -> Plan:
    """One pass over the rules. compilers: the Pythons of compiler images, when a first pass found that it needs one.

    with_compiler: whether only builds come into question whose CUDA an image with nvcc is left for.
    """
    spec, project, host = given.spec, given.project, given.host
    notes = Notes()
    notes.decide("platform", given.platform, _why_platform(given))
    wants = read_wants(given, notes)
    ground = choose_ground(given, wants, notes, compilers)
    target = choose_target(given, wants, ground, notes)
    torch = choose_torch(given, wants, target, ground, notes, with_compiler=with_compiler)
    python = _choose_python(given, wants, ground, torch, notes)
    channels = choose_channels(given, ground.manager, notes)
    basket = gather(given, wants, ground.manager, torch.choice, target, python, notes)
    base = choose_base(
        given, ground, target, torch.choice, python, tuple(dict.fromkeys(basket.compiles)), notes, exact=basket.needs_exact_cuda
    )
    sources = choose_sources(given, torch, basket, notes)
    plan = Plan(
        name=spec.name.value,
        platform=given.platform,
        manager=ground.manager,
        python=python,
        torch=torch.plan,
        base=base,
        installer=choose_installer(given, ground.manager, sources.miniconda, notes),
        packages=basket.plan(),
        channels=channels,
        editable=_editable(project),
        sources=sources,
        user=_user(spec),
        run=_run(spec),
        ide=tuple(ide.value for ide in spec.ide) if spec.ide is not None else (Ide.VSCODE, Ide.PYCHARM),
        passthrough=_passthrough(torch, target, host, notes),
        decisions=notes.decisions,
        warnings=notes.warnings,
        fallbacks=tuple(notes.fallbacks),
    )
    return replace(plan, digest=digest(plan))


def _why_platform(given: Given) -> str:
    machine = "an ARM processor" if given.host.arch == "aarch64" else "an x86-64 processor"
    return f"the container is always Linux, and this machine has {machine}"


def _choose_python(given: Given, wants: Wants, ground: Ground, torch: Torch, notes: Notes) -> str:
    """The newest Python that everything allows. Raises WsbError python-not-supported when nothing does without torch."""
    asked = wants.python
    if torch.choice is not None:
        python = newest(torch.choice.pythons)
        if ground.pythons is not None:
            because = ground.because
        elif asked is not None:
            because = f"{asked.where} asks for {asked.value}"
        else:
            names = listed((f"torch {torch.choice.release.version}", *wants.companions))
            because = f"the newest that {names} {'all have' if wants.companions else 'has'} files for"
        notes.decide("python", python, because)
        return python
    return _python_without_torch(given, wants, ground, notes)


def _python_without_torch(given: Given, wants: Wants, ground: Ground, notes: Notes) -> str:
    asked = wants.python
    known = sorted({p for release in given.catalog.releases for p in release.python_of(given.wheels)}, key=_as_numbers)
    offered = ground.pythons or tuple(known)
    fitting = [python for python in offered if admits_python(asked.value if asked else None, python)]
    if not fitting and asked is not None and ground.pythons is None:
        bare = [s.version for s in asked.value.specifiers if s.operator == "=="]
        fitting = [".".join(bare[0].removesuffix(".*").split(".")[:2])] if bare else []
    if not fitting:
        where = asked.where if asked else given.spec.where
        wanted = asked.value if asked else "any"
        raise WsbError("python-not-supported", f"there is no Python {wanted} here: {ground.because}", where)
    # without torch nothing asks for the very newest, which many packages do not have files for yet
    settled = [python for python in fitting if _as_numbers(python) <= (3, 12)]
    python = fitting[-1] if asked or ground.pythons or not settled else settled[-1]
    because = (
        f"{asked.where} asks for {asked.value}" if asked else (ground.because or "one that nearly every package has files for")
    )
    notes.decide("python", python, because)
    return python


def _as_numbers(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))


def _editable(project: Project) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.value for one in project.local_paths))


def _user(spec: Spec) -> UserPlan:
    default = UserPlan()
    return UserPlan(
        name=spec.user.name.value if spec.user.name else default.name,
        uid=spec.user.uid.value if spec.user.uid else default.uid,
    )


def _run(spec: Spec) -> RunPlan:
    default = RunPlan()
    return RunPlan(
        shm_size=spec.run.shm_size.value if spec.run.shm_size else default.shm_size,
        ports=tuple(port.value for port in spec.run.ports),
        mounts=tuple(mount.value for mount in spec.run.mounts),
        env=tuple(sorted((name, value.value) for name, value in spec.run.env)),
    )


def _passthrough(torch: Torch, target: Target, host: Host, notes: Notes) -> Passthrough:
    """How a GPU is handed in, on the engine as it was when the plan was made; looked at again when a container starts."""
    if torch.plan is None:
        return Passthrough.NONE
    handing = choose_passthrough("cpu" if torch.plan.variant == CPU else target.kind, host)
    if handing.mode is not Passthrough.NONE:
        notes.decide("passthrough", handing.mode.value, handing.because, handing.rejected)
    for warned in handing.warnings:
        notes.warn(warned.code, warned.message)
    return handing.mode
