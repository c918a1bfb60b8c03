"""The torch to install: the search, the fallbacks when its index is out of reach, and the sentences that explain it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from packaging.version import Version

from builder.errors import WsbError
from builder.model.plan import Rejected, TorchPlan
from builder.model.values import CPU
from builder.resolve.choice import Choice, Search
from builder.resolve.declared import with_declared
from builder.resolve.given import Given, listed
from builder.resolve.ground import Ground
from builder.resolve.limits import is_lifted, serves
from builder.resolve.notes import Notes, rejected
from builder.resolve.releases import candidates
from builder.resolve.target import Target, short
from builder.resolve.wants import Wants

_SHOWN = 3  # releases passed over that a decision names one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Torch:
    """choice: None for `torch: none`. from_wheels: it is taken from the directory of local wheels."""

    choice: Choice | None
    plan: TorchPlan | None
    from_wheels: bool = False


def choose_torch(
    given: Given, wants: Wants, target: Target, ground: Ground, notes: Notes, *, with_compiler: bool = False
) -> Torch:
    """The build to install and why. Raises WsbError with the nearest thing that works when none does."""
    if not wants.has_torch:
        notes.decide("torch", "none", "wsb.yaml says `torch: none`")
        return Torch(choice=None, plan=None)
    search = Search(given=given, wants=wants, target=target, ground=ground, with_compiler=with_compiler)
    choice = _own_directory(search, notes) or _searched(search, notes)
    choice = _within_reach(search, choice, notes)
    _explain(search, choice, notes)
    _warn(search, choice, notes)
    return Torch(choice=choice, plan=_plan(search, choice), from_wheels=choice.wheel is not None)


def _searched(search: Search, notes: Notes) -> Choice:
    releases = candidates(search.given, search.wants, notes)
    found = with_declared(search, releases) or search.among(releases)
    if isinstance(found, Choice):
        return found
    from builder.resolve.refusals import refused  # a plan that comes out needs none of it

    raise refused(search, found)


def _own_directory(search: Search, notes: Notes) -> Choice | None:
    """A wheel of the directory that `sources: {torch: DIR}` names; None when it names none, or none fits."""
    source = search.given.spec.sources.torch
    if source is None or is_url(source.value) or search.given.reach is None:
        return None
    from builder.resolve.wheels import best_wheel  # few plans look at local wheels

    choice, why_not = best_wheel(search)
    if choice is None:
        notes.decide("sources.torch", "download.pytorch.org", f"no wheel in {source.value} fits: {why_not}")
        return None
    notes.decide("sources.torch", source.value, f"wsb.yaml names this directory ({source.where}) and {choice.wheel} fits")
    return choice


def _within_reach(search: Search, choice: Choice, notes: Notes) -> Choice:
    """The same, or what can be had when the torch index is out of reach and someone asked for fallbacks."""
    given = search.given
    reason = given.why_not("torch")
    if choice.wheel is not None or choice.build.is_default:
        return choice
    if reason is None:
        return choice
    wanted = f"{choice.build.local} from {choice.build.index_url or choice.build.find_links}"
    from builder.resolve.wheels import best_wheel

    wheel, no_wheel = best_wheel(search)
    if wheel is not None and wheel.wheel is not None:
        notes.fall_back("torch", wanted, wheel.wheel, reason)
        reachless = [rejected(choice.build.local, f"its index cannot be reached: {reason}")]
        notes.decide("torch.wheel", wheel.wheel, f"a local wheel that fits lies in {_wheel_dir(given)}", reachless)
        return wheel
    from_default = _from_default_index(search, notes)
    if from_default is not None:
        notes.fall_back("torch", wanted, f"{from_default.build.local} from the default index", reason)
        because = f"the default index serves it; {no_wheel}"
        reachless = [rejected(choice.build.local, f"its index cannot be reached: {reason}")]
        notes.decide("torch.variant", from_default.build.variant, because, reachless)
        return from_default
    raise WsbError(
        "source-unreachable",
        f"the index of torch {choice.build.local} cannot be reached: {reason}",
        search.wants.torch.where if search.wants.torch else given.spec.where,
        hints=(
            f"nothing else fits: {no_wheel}, and the default index has no build that does",
            "set `sources: {torch: …}` to a mirror of download.pytorch.org/whl, or to a directory with the wheel",
        ),
    )


def _from_default_index(search: Search, notes: Notes) -> Choice | None:
    """What PyPI itself serves. A CUDA build also computes on the processor, only larger."""
    if search.given.why_not("pip") is not None:
        return None
    anywhere = replace(search.target, kind="cuda", gpus=(), driver=None, named=None)
    target = anywhere if search.target.kind == "cpu" and search.target.named is None else search.target
    found = replace(search, target=target, only_default=True).among(candidates(search.given, search.wants, notes))
    if not isinstance(found, Choice):
        return None
    return found if target.named is None or found.build.variant == target.named.value else None


def is_url(source: str) -> bool:
    return "://" in source


def _wheel_dir(given: Given) -> str:
    return (given.reach.wheel_dir if given.reach else None) or "a local directory"


def _plan(search: Search, choice: Choice) -> TorchPlan:
    build, wants = choice.build, search.wants
    # on a Windows host a CUDA build is named, as one would have to without a container
    unnamed = build.is_default and (search.target.trusts_index or search.given.why_not("torch") is not None)
    index_url, find_links = (None, None) if unnamed else (build.index_url, build.find_links)
    if choice.wheel is not None:
        index_url = find_links = None
    return TorchPlan(
        version=str(build.version),
        variant=build.variant,
        index_url=index_url,
        find_links=find_links,
        wheel=choice.wheel,
        torchvision=choice.companion("torchvision"),
        torchaudio=choice.companion("torchaudio"),
        install_companions=tuple(name for name in wants.companions if choice.companion(name)),
    )


def _explain(search: Search, choice: Choice, notes: Notes) -> None:
    """The decisions on version and build."""
    passed = [rejected(one.release.version, one.because) for one in choice.passed_over[:_SHOWN]]
    if len(choice.passed_over) > _SHOWN:
        more = choice.passed_over[_SHOWN:]
        passed.append(rejected(f"{more[-1].release.version} to {more[0].release.version}", more[0].because))
    notes.decide("torch.version", choice.release.version, _why_version(search, choice), passed)
    if choice.wheel is not None:
        notes.decide("torch.variant", choice.build.variant, f"the local wheel {choice.wheel} is this build")
        return
    others = [Rejected(value=str(build.variant), because=why) for build, why in choice.refused]
    others += [
        rejected(variant, "exists on the torch index without being advertised; name it to take it")
        for variant in choice.release.unadvertised
        if search.target.kind == "cuda"
        and search.target.named is None
        and variant not in (b.variant for b, _ in choice.refused)
    ]
    declared = search.wants.declared
    built = {str(build.variant) for build in search.given.catalog.builds(choice.release, search.given.wheels)}
    if declared and search.target.kind == "cuda" and str(declared.value) not in built:
        others.append(
            rejected(declared.value, f"{declared.where} declares it, but torch {choice.release.version} has no such build")
        )
    notes.decide("torch.variant", choice.build.variant, _why_variant(search, choice), others)
    _explain_companions(search, choice, notes)


def _why_version(search: Search, choice: Choice) -> str:
    wants = search.wants
    asked = wants.torch
    beyond = ""
    if choice.release.is_extrapolated:
        beyond = f"; it is newer than the tables, so it is taken to be built like {choice.release.known_as}"
    if asked is not None and asked.value.is_pinned:
        return f"{asked.where} asks for exactly this{beyond}"
    runs, but = _runs_where(search.target), _but(choice)
    declared = wants.declared
    if declared and choice.build.variant == declared.value and any(one.kind == "variant" for one in choice.passed_over):
        also = f", and{runs}" if runs else ""
        return f"the newest release that has the {declared.value} build, which {declared.where} declares{also}"
    if asked is not None and not asked.value.is_any:
        also = f" and{runs}" if runs else ""
        return f'the newest release that fits "{asked.value}" ({asked.where}){also}{but}{beyond}'
    fixed = next((wants.companion(package) for package in wants.companions if wants.companion(package)), None)
    if fixed is not None and not fixed.value.is_any:
        return f"the torch that goes with what {fixed.where} asks for{f' and{runs}' if runs else ''}{but}"
    return f"the newest release{f' that{runs}' if runs else ''}{but}{beyond}"


def _runs_where(target: Target) -> str:
    if target.kind != "cuda" or (not target.gpus and target.driver is None):
        return ""
    if target.gpus and target.driver:
        return f" runs on the {target.gpu_names} with driver {target.driver}"
    return f" runs on the {target.gpu_names}" if target.gpus else f" runs with driver {target.driver}"


def _but(choice: Choice) -> str:
    """Why it is not the newest that there is, in the words of the newest one passed over."""
    if not choice.passed_over:
        return ""
    newest = choice.passed_over[0]
    return f" ({newest.release.version} does not: {newest.because})"


def _why_variant(search: Search, choice: Choice) -> str:
    build, target = choice.build, search.target
    if target.named is not None:
        return f"{target.named.where} names this build"
    if build.variant == CPU:
        return "the build for the processor, a fraction of the size of one with CUDA"
    if search.wants.declared and build.variant == search.wants.declared.value:
        seen = ", and it runs here" if target.driver is not None else ""
        return f"the project declares CUDA {build.variant.cuda} ({search.wants.declared.where}){seen}"
    checked = f"; {_checked(search, choice)}" if target.kind == "cuda" else ""
    if build.is_default and target.trusts_index:
        return f"the default index serves this build, so every mirror has it{checked}"
    if not target.trusts_index:
        return f"the highest CUDA that runs here; on Windows the default index has CPU builds only, so it is named{checked}"
    return f"the highest {'CUDA' if build.variant.cuda else 'version'} that runs here{checked}"


def _checked(search: Search, choice: Choice) -> str:
    """What was held against what, in one sentence."""
    build, target = choice.build, search.target
    floor = search.given.catalog.driver_floor(build.variant, target.os)
    parts = []
    if target.driver is not None and floor is not None and target.driver >= floor:
        parts.append(f"CUDA {build.variant.cuda} needs driver {floor} or newer and {target.driver} is there")
    if target.gpus and build.code is not None:
        capabilities = sorted({gpu.compute_capability for gpu in target.gpus if gpu.compute_capability})
        parts.append(f"it holds machine code for the {target.gpu_names} (compute capability {listed(capabilities)})")
    return ", and ".join(parts) if parts else f"it needs driver {floor} or newer"


def _warn_of_doubts(search: Search, choice: Choice, notes: Notes) -> None:
    """Builds that were not seen: the one that is taken, or one of a newer release that would have been."""
    for doubt in choice.release.doubts:
        if choice.build.variant in doubt.variants and not choice.build.is_default and choice.wheel is None:
            notes.warn("unverified", f"whether there is a build {choice.build.local} was not verified: {doubt.because}")
    if search.target.kind != "cuda" or choice.wheel is not None:
        return
    for passed in choice.passed_over:
        for doubt in passed.release.doubts:
            if doubt.is_missing and choice.build.variant in doubt.variants:
                also = f"torch {passed.release.version} may have a build for {choice.build.variant} too, which would run here"
                notes.warn("unverified", f"{also} ({doubt.because}); {choice.build.local} is the newest that is known to")


def _explain_companions(search: Search, choice: Choice, notes: Notes) -> None:
    for package in search.wants.companions:
        version = choice.companion(package)
        request = search.wants.companion(package)
        if version is None:
            notes.warn("companion-missing", f"no {package} is known for torch {choice.release.version}; it is left out")
            continue
        notes.decide(f"torch.{package}", version, f"the release of {package} that goes with torch {choice.release.version}")
        if request is not None and not request.value.admits(Version(version)):
            notes.warn(
                "companion-mismatch",
                f"{package} {request.value} ({request.where}) was not made for torch {choice.release.version}; "
                f"{version} is, and is taken",
            )


def _warn(search: Search, choice: Choice, notes: Notes) -> None:
    """What should be known about this build."""
    build, target, catalog = choice.build, search.target, search.given.catalog
    if choice.release.unverified:
        notes.warn("unverified", f"torch {choice.release.version}: not verified: {choice.release.unverified}")
    _warn_of_doubts(search, choice, notes)
    if build.code is not None and build.code.unverified and target.kind == "cuda":
        notes.warn("unverified", f"which GPUs {build.local} has code for was not verified ({build.code.unverified})")
    floor = catalog.driver_floor(build.variant, target.os)
    if build.variant.cuda and target.kind == "cuda" and target.driver is None and choice.wheel is None:
        notes.warn(
            "driver-unknown",
            f"the driver of the machine that will run this is not known; {build.local} needs driver {floor} or newer "
            "(tell it with --driver, or --host FILE)",
        )
    if target.driver is not None and floor is not None and target.driver < floor and is_lifted(build.variant, target):
        notes.warn(
            "cuda-compat",
            f"driver {target.driver} alone is too old for CUDA {build.variant.cuda} (needs {floor}); it works through the "
            "cuda-compat package in the base, on data-centre cards only",
        )
    left_out = [gpu for gpu in target.gpus if not serves(build, gpu, target, catalog)] if build.code else []
    if left_out:
        names = listed(f"the {short(gpu.name)}" for gpu in left_out)
        notes.warn("gpu-left-out", f"{build.local} has no machine code for {names}; only the other cards will compute")
