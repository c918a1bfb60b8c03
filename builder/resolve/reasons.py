"""The sentences that explain the torch that was chosen: why this release, why this build, and what should be known of it."""

from __future__ import annotations

from packaging.version import Version

from builder.model.plan import Rejected
from builder.model.values import CPU
from builder.resolve.choice import Choice, Search
from builder.resolve.given import listed
from builder.resolve.limits import is_lifted, serves
from builder.resolve.notes import Notes, rejected
from builder.resolve.target import Target, short

_SHOWN = 3  # releases passed over that a decision names one by one


def explain(search: Search, choice: Choice, notes: Notes) -> None:
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
    if choice.build.place_unverified and not choice.build.is_default and choice.wheel is None:
        notes.warn("unverified", f"where {choice.build.local} lies was not verified: {choice.build.place_unverified}")
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


def warn(search: Search, choice: Choice, notes: Notes) -> None:
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
