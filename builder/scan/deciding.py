"""The torch and the Python that `wsb init` proposes, each with its reason, where the project's own files leave them open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog import Catalog
from builder.catalog.rows import LINUX_X86_64, TorchRelease
from builder.model.project import Project
from builder.model.values import CPU, CudaVersion, Located, Variant, VersionRequest
from builder.resolve.lines import pip_line
from builder.scan.eras import Dated, earlier, era, frozen_for, served
from builder.scan.evidence import Witness, is_settled

_SETTLED_PYTHON_DAYS = 396  # how long a Python has been out before most packages have files for it
_FRESH_DAYS = 90  # how long a torch is new: what is compiled for it follows some weeks later

# What conda's two selectors say of torch: the last release on the pytorch channel that each of them chose a build of.
_TODAY = CudaVersion(11, 3)

_BETA = frozenset({Variant("cu115")})  # torch 1.11 only; what is compiled for that torch is for 11.3

_SELECTED = {"cudatoolkit": "<1.13", "pytorch-cuda": ">=1.13,<2.6"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One proposed value and why. variant: the build that the same witness names. over: what others say, and who."""

    value: str
    because: str
    variant: Variant | None = None
    over: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that is known of a project when torch and Python are picked."""

    project: Project
    witnesses: tuple[Witness, ...]
    catalog: Catalog
    wants_torch: bool = True


# --- torch ---------------------------------------------------------------------------------------------------------


def pick_torch(told: Told) -> Pick | None:
    """The torch to write into wsb.yaml; None when the project's files settle it."""
    own = told.project.torch
    if own is not None and is_settled(own.value):
        return _nearest(told, own)
    if _companions_settle_it(told):
        return None
    said = _said(told)
    if said is not None:
        return said
    releases = _admitted(told)
    if not releases:
        return None
    return _of_declared_cuda(told, releases) or _of_its_time(told, releases)


def _nearest(told: Told, own: Located[VersionRequest]) -> Pick | None:
    """The release nearest to a pin that no release satisfies; None when one does."""
    if any(own.value.admits(release.version) for release in told.catalog.releases):
        return None
    pinned = [Version(one.version.removesuffix(".*")) for one in own.value.specifiers if one.operator in ("==", "===", "~=")]
    if not pinned or pinned[0] > told.catalog.newest.version:
        return None  # newer than the tables: the resolver extrapolates
    numbers = pinned[0].release

    def distance(release: TorchRelease) -> tuple[int, ...]:
        return tuple(abs(one - other) for one, other in zip((*numbers, 0, 0)[:3], release.version.release[:3], strict=False))

    nearest = min((one for one in told.catalog.releases if not one.is_lts), key=distance)
    because = f"{own.where} pins {own.value}, which is in no index; this is the nearest release"
    return Pick(value=str(nearest.version), because=because)


def runs_on_no_recent_card(release: TorchRelease) -> bool:
    """Whether the default build is for CUDA 10, for which no card since Ampere finds code, though one for CUDA 11 is there."""
    default = release.default.get(LINUX_X86_64)
    return default is not None and default.cuda is not None and default.cuda.major == 10 and newer_build(release) is not None


def newer_build(release: TorchRelease) -> Variant | None:
    """The highest CUDA 11 build of a release."""
    builds = release.builds.get(LINUX_X86_64, ())
    found = [one for one in builds if one.cuda is not None and one.cuda.major == 11 and one not in _BETA]
    return max(found, key=lambda one: str(one.cuda), default=None)


def _admitted(told: Told) -> tuple[TorchRelease, ...]:
    """Releases that the project's files leave open, newest first, without the long-term ones."""
    own = told.project.torch
    selector = told.project.cuda_selector
    limit = SpecifierSet(_SELECTED[selector.value]) if selector is not None and own is not None else SpecifierSet("")
    return tuple(
        release
        for release in told.catalog.releases
        if not release.is_lts and limit.contains(release.version) and (own is None or own.value.admits(release.version))
    )


def _companions_settle_it(told: Told) -> bool:
    """Whether a pinned torchvision, torchaudio or package made for one torch leaves one series only."""
    project = told.project
    pinned = [one for one in (project.torchvision, project.torchaudio) if one is not None and one.value.is_pinned]
    return bool(pinned) or _made_for(told) is not None


def _made_for(told: Told) -> SpecifierSet | None:
    """The torch that a pinned package was made for, such as torchtext or xformers; None when none tells."""
    for one in told.project.pip:
        line = pip_line(one.value)
        row = told.catalog.package(line.name) if line.name else None
        if row is None or not row.get("pins") or line.request is None or not line.request.is_pinned:
            continue
        for version, torch in row["pins"].items():
            if line.request.admits(Version(version)):
                return SpecifierSet(torch)
    return None


def _said(told: Told) -> Pick | None:
    """What the first witness says whose torch the project's own files admit."""
    own = told.project.torch
    fitting = []
    for witness in told.witnesses:
        if witness.torch is None:
            continue
        release = next((one for one in told.catalog.releases if witness.torch.value.admits(one.version)), None)
        if release is not None and (own is None or own.value.admits(release.version)):
            fitting.append((witness, release))
    if not fitting:
        return None
    witness, release = fitting[0]
    assert witness.torch is not None
    others = tuple(
        (str(other.version), f"{one.torch.where} says so")
        for one, other in fitting[1:]
        if one.torch is not None and other.version != release.version
    )
    value = str(release.version) if witness.torch.value.is_pinned else release.minor
    variant = _variant_of(witness, release)
    return Pick(value=value, because=f"{witness.torch.where} says torch {witness.torch.value}", variant=variant, over=others)


def _variant_of(witness: Witness, release: TorchRelease) -> Variant | None:
    if witness.variant is None or witness.variant.value not in release.builds.get(LINUX_X86_64, ()):
        return None
    return witness.variant.value


def declared_variant(told: Told) -> Located[Variant] | None:
    """The CUDA that the project was made for: its own files first, then witnesses."""
    project = told.project
    if project.torch_variant is not None:
        return project.torch_variant
    if project.cuda is not None:
        return Located(Variant.for_cuda(project.cuda.value), project.cuda.where)
    said = next((one.variant for one in told.witnesses if one.variant is not None), None)
    return said or _beside_tensorflow(told)


def _beside_tensorflow(told: Told) -> Located[Variant] | None:
    """The CUDA of a pinned tensorflow: two frameworks in one process want the same libraries."""
    for one in told.project.pip:
        line = pip_line(one.value)
        if line.name not in ("tensorflow", "tensorflow-gpu") or line.request is None or not line.request.is_pinned:
            continue
        pinned = next(iter(line.request.specifiers)).version
        cuda = told.catalog.cuda_of_tensorflow(Version(pinned))
        if cuda is not None:
            return Located(Variant.for_cuda(CudaVersion.parse(cuda)), one.where)
    return None


def _of_declared_cuda(told: Told, releases: Sequence[TorchRelease]) -> Pick | None:
    """The newest release with a build for the CUDA that the project was made for."""
    declared = declared_variant(told)
    if declared is None or declared.value == CPU:
        return None
    dated = _limit(told)
    fitting = [one for one in releases if declared.value in one.builds.get(LINUX_X86_64, ())]
    in_time = [one for one in fitting if dated is None or one.released <= dated.until] or fitting[-1:]
    if not in_time:
        return None
    because = f"{declared.where} is for CUDA {declared.value.cuda}, and this is the newest of its time with such a build"
    return Pick(value=in_time[0].minor, because=because, variant=declared.value)


def _limit(told: Told) -> Dated | None:
    days = [one.day for one in told.witnesses if one.day is not None]
    dated = era(told.project, told.project.torch, told.catalog)
    if days and (dated is None or days[0].value > dated.until):
        return Dated(text="its base image", where=days[0].where, day=days[0].value, until=days[0].value)
    return dated


def _of_its_time(told: Told, releases: Sequence[TorchRelease]) -> Pick | None:
    """The newest release of the project's time; without one the newest that is no longer fresh."""
    dated = _limit(told)
    fresh = earlier(told.catalog.date("torch"), _FRESH_DAYS)
    newest = _no_longer_fresh(releases, fresh)
    if dated is not None:
        in_time = [one for one in releases if one.released <= dated.until]
        if (
            in_time
            and not dated.is_close
            and (least := _runs_today(releases)) is not None
            and in_time[0].version < least.version
        ):
            because = f"only lower bounds date the project ({dated.where}); this is the oldest that cards of today run"
            return Pick(value=least.minor, because=because)
        if in_time and in_time[0].version < newest.version:
            because = f"the newest of the project's time: {dated.where} names {dated.text}, of {dated.day[:7]}"
            return Pick(value=in_time[0].minor, because=because)
        if not in_time and dated.until < releases[-1].released:
            because = f"the oldest that its files admit, and its pins are of {dated.day[:7]} ({dated.where})"
            return Pick(value=releases[-1].minor, because=because)
    if newest.version == releases[0].version:
        return Pick(value=newest.minor, because="nothing in the project names or dates its torch: the newest")
    because = (
        f"nothing in the project names or dates its torch; {releases[0].version} is of {releases[0].released}, still fresh"
    )
    return Pick(
        value=newest.minor, because=because, over=((str(releases[0].version), "what is compiled for it is still to come"),)
    )


def _runs_today(releases: Sequence[TorchRelease]) -> TorchRelease | None:
    """The oldest series, in its last patch, with a build for CUDA 11.3: the first whose code and driver are of today."""
    fitting = [one for one in releases if any((v.cuda and v.cuda >= _TODAY) for v in one.builds.get(LINUX_X86_64, ()))]
    return next((one for one in releases if fitting and one.minor == fitting[-1].minor), None)


def _no_longer_fresh(releases: Sequence[TorchRelease], fresh: str) -> TorchRelease:
    """The newest whose series has had its first patch, or is three months old."""
    first = {one.minor: one.released for one in reversed(releases) if one.version.micro == 0}
    for one in releases:
        if one.version.micro > 0 or first.get(one.minor, one.released) <= fresh:
            return one
    return releases[0]


# --- Python --------------------------------------------------------------------------------------------------------


def pick_python(told: Told, torch: Pick | None) -> Pick | None:
    """The Python to write into wsb.yaml; None when the project's files name one."""
    own = told.project.python
    if own is not None and _names_one(own.value):
        return None
    release = _release(told, torch)
    offered = _offered(told, release)
    ranges = [own, *(one.python for one in told.witnesses if one.python is not None and not _names_one(one.python.value))]
    for request in ranges:
        if request is not None:
            offered = [python for python in offered if admits(request.value, python)] or offered
    wheels = served(offered, told.project, told.catalog)
    said = _python_said(told, offered)
    if said is not None:
        return said
    dated = _limit(told)
    newest = told.catalog.releases[0]
    if dated is not None and (made := frozen_for(wheels.pythons, told.project, told.catalog, dated.day)) is not None:
        return Pick(value=made[0], because=f"{made[1].text} ({made[1].where}) and others are the last that serve it")
    is_recent = release is None or release.released >= earlier(newest.released, 365)
    if is_recent and (dated is None or dated.day >= earlier(newest.released, 3 * 365)):
        oldest = [python for python in newest.python_of(LINUX_X86_64) if python in wheels.pythons]
        if oldest:
            return Pick(value=oldest[0], because="nothing in the project names one; nearly every package has files for it")
    days_known = [dated.day] if dated is not None and dated.is_close else []
    day = min([*days_known, release.released] if release is not None else days_known or [newest.released])
    settled = earlier(day, _SETTLED_PYTHON_DAYS)
    days = told.catalog.python_days
    fitting = [python for python in wheels.pythons if days.get(python, "9999") <= settled]
    if not fitting:
        fitting = list(wheels.pythons[:1]) or list(offered[:1])
    if not fitting:
        return None
    return Pick(value=fitting[-1], because=_why_python(fitting[-1], wheels.refused, release, day))


def _names_one(request: VersionRequest) -> bool:
    return any(one.operator in ("==", "===", "~=") and one.version.count(".") >= 1 for one in request.specifiers)


def admits(request: VersionRequest, python: str) -> bool:
    """Whether some patch release of this Python satisfies a request."""
    return any(request.specifiers.contains(f"{python}.{patch}") for patch in range(25))


def _release(told: Told, torch: Pick | None) -> TorchRelease | None:
    """The release that the plan will have."""
    if not told.wants_torch:
        return None
    request = (
        VersionRequest.parse(torch.value) if torch is not None else (told.project.torch.value if told.project.torch else None)
    )
    made_for = _made_for(told)
    for release in told.catalog.releases:
        is_asked = request is None or request.admits(release.version)
        is_made_for = made_for is None or made_for.contains(release.version)
        if is_asked and is_made_for and _goes_with_companions(told, release):
            return release
    return next((one for one in told.catalog.releases if request is None or request.admits(one.version)), None)


def _goes_with_companions(told: Told, release: TorchRelease) -> bool:
    for package, asked in (("torchvision", told.project.torchvision), ("torchaudio", told.project.torchaudio)):
        if asked is None or not asked.value.is_pinned:
            continue
        rows = [row for row in told.catalog.companions(package) if asked.value.admits(row.version)]
        known = [row for row in rows if row.requires_torch]
        if known and not any(SpecifierSet(row.requires_torch or "").contains(release.version) for row in known):
            return False
    return True


def _offered(told: Told, release: TorchRelease | None) -> list[str]:
    """The Pythons that torch and its companions have files for."""
    if release is None:
        return [python for python in told.catalog.python_days if Version(python) >= Version("3.6")]
    offered = list(release.python_of(LINUX_X86_64))
    for package in ("torchvision", "torchaudio"):
        asked = told.project.torchvision if package == "torchvision" else told.project.torchaudio
        version = release.torchvision if package == "torchvision" else release.torchaudio
        row = told.catalog.companion(package, version) if asked is not None else None
        if row is not None:
            offered = [python for python in offered if row.has_python(LINUX_X86_64, python)] or offered
    return [python for python in offered if Version(python) >= Version("3.6")] or offered


def _python_said(told: Told, offered: Sequence[str]) -> Pick | None:
    """The Python that the first witness names, where torch has files for it and the pins do too."""
    heard: list[tuple[str, str]] = []
    for witness in told.witnesses:
        if witness.python is None or not _names_one(witness.python.value):
            continue
        fitting = [python for python in offered if admits(witness.python.value, python)]
        usable = served(fitting, told.project, told.catalog).pythons
        if fitting and usable and usable[-1] in _still_served(told, offered):
            heard.append((usable[-1], f"{witness.python.where} says Python {witness.python.value}"))
    if not heard:
        return None
    value, because = heard[0]
    return Pick(value=value, because=because, over=tuple(one for one in heard[1:] if one[0] != value))


def _still_served(told: Told, offered: Sequence[str]) -> tuple[str, ...]:
    return served(offered, told.project, told.catalog).pythons


def _why_python(python: str, refused: Iterable[tuple[str, object]], release: TorchRelease | None, day: str) -> str:
    above = [(other, line) for other, line in refused if Version(other) > Version(python)]
    if above:
        line = above[-1][1]
        text = getattr(line, "text", "")
        return f"the newest that {text} has files for" if len(text) < 60 else "the newest that its pins have files for"
    known = f"torch {release.version} has files for it, and " if release is not None else ""
    return f"{known}it was out for a year when the project was written ({day[:7]})"
