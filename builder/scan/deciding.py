"""The torch and the Python that `wsb init` proposes, each with its reason, where the project's own files leave them open."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog import Catalog
from builder.catalog.rows import LINUX_X86_64, TorchRelease
from builder.model.frozen import frozen
from builder.model.project import Project
from builder.model.values import CPU, CudaVersion, Located, Variant, VersionRequest
from builder.resolve.lines import pip_line
from builder.scan.eras import Dated, earlier, era
from builder.scan.evidence import Witness, is_settled

_FRESH_DAYS = 90  # how long a torch is new: what is compiled for it follows some weeks later

# What conda's two selectors say of torch: the last release on the pytorch channel that each of them chose a build of.
_TODAY = CudaVersion(11, 3)

_BETA = frozenset({Variant("cu115")})  # torch 1.11 only; what is compiled for that torch is for 11.3

_SELECTED = {"cudatoolkit": "<1.13", "pytorch-cuda": ">=1.13,<2.6"}


@frozen
class Pick:
    """One proposed value and why. variant: the build that the same witness names. over: what others say, and who."""

    value: str
    because: str
    variant: Variant | None = None
    over: tuple[tuple[str, str], ...] = ()


@frozen
class Told:
    """All that is known of a project when torch and Python are picked.

    runs: whether a release runs on the machine that wsb init is run on; None where that is not known.
    """

    project: Project
    witnesses: tuple[Witness, ...]
    catalog: Catalog
    wants_torch: bool = True
    runs: Callable[[TorchRelease], bool] | None = None


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
    if told.runs is not None:
        releases = tuple(filter(told.runs, releases)) or releases
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
    return bool(pinned) or made_for(told) is not None


def made_for(told: Told) -> SpecifierSet | None:
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
    dated = limit(told)
    fitting = [one for one in releases if declared.value in one.builds.get(LINUX_X86_64, ())]
    in_time = [one for one in fitting if dated is None or one.released <= dated.until] or fitting[-1:]
    if not in_time:
        return None
    because = f"{declared.where} is for CUDA {declared.value.cuda}, and this is the newest of its time with such a build"
    return Pick(value=in_time[0].minor, because=because, variant=declared.value)


def limit(told: Told) -> Dated | None:
    """What dates the project: its pins and bounds, or the month in the tag of NVIDIA's image that it stands on."""
    days = [one.day for one in told.witnesses if one.day is not None]
    dated = era(told.project, told.project.torch, told.catalog)
    if days and (dated is None or not dated.is_close or days[0].value > dated.until):
        return Dated(text="its base image", where=days[0].where, day=days[0].value, until=days[0].value)
    return dated


def _of_its_time(told: Told, releases: Sequence[TorchRelease]) -> Pick | None:
    """The newest release of the project's time; without one the newest that is no longer fresh."""
    dated = limit(told)
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
        if not in_time and told.runs is not None and dated.until < releases[-1].released:
            because = f"the oldest that runs on this machine; the project is of {dated.day[:7]} ({dated.where})"
            return Pick(value=releases[-1].minor, because=because)
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
