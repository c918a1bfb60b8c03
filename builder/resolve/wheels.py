"""Wheels of torch in a local directory: which of them satisfies what is asked for here."""

from __future__ import annotations

import re
from dataclasses import replace

from packaging.version import InvalidVersion, Version

from builder.catalog.rows import TorchBuild, TorchRelease
from builder.model.frozen import frozen
from builder.model.values import CPU, Variant
from builder.resolve.choice import Choice, Search
from builder.resolve.given import admits_python

_NAME = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-(?P<python>[^-]+)-[^-]+-(?P<platform>[^-]+)\.whl$")


@frozen
class LocalWheel:
    """A wheel's file name in parts. pythons: such as 3.11; () for a wheel of every Python 3."""

    file: str
    name: str
    version: Version
    pythons: tuple[str, ...]
    platforms: tuple[str, ...]

    def is_for(self, platform: str) -> bool:
        """Whether it installs on linux_x86_64 or linux_aarch64."""
        machine = platform.removeprefix("linux_")
        return any(tag == "any" or (tag.endswith(machine) and "linux" in tag) for tag in self.platforms)


def local_wheel(file: str) -> LocalWheel | None:
    """The parts of a wheel's file name; None for anything else."""
    match = _NAME.match(file.rsplit("/", 1)[-1].replace("%2B", "+").replace("%2b", "+"))
    if not match:
        return None
    try:
        version = Version(match["version"].replace("_", "-"))
    except InvalidVersion:
        return None
    tags = [tag for tag in match["python"].split(".") if re.fullmatch(r"cp\d{2,3}", tag)]
    return LocalWheel(
        file=file.rsplit("/", 1)[-1],
        name=match["name"].lower().replace("_", "-"),
        version=version,
        pythons=tuple(f"{tag[2]}.{tag[3:]}" for tag in tags),
        platforms=tuple(match["platform"].split(".")),
    )


def best_wheel(search: Search) -> tuple[Choice | None, str]:
    """The newest local wheel of torch that satisfies request, platform, Python and limits; else why none does."""
    reach = search.given.reach
    wheels = [wheel for file in (reach.local_wheels if reach else ()) if (wheel := local_wheel(file))]
    torches = [wheel for wheel in wheels if wheel.name == "torch"]
    if not torches:
        return None, "no wheel of torch lies in a local directory"
    reasons: list[str] = []
    found: list[Choice] = []
    for wheel in torches:
        choice = _choice(search, wheel, wheels)
        if isinstance(choice, Choice):
            found.append(choice)
        else:
            reasons.append(f"{wheel.file} {choice}")
    if not found:
        return None, "; ".join(reasons)
    return max(found, key=_rank), ""


def _rank(choice: Choice) -> tuple[Version, bool, tuple[int, int], Version]:
    cuda = choice.build.variant.cuda
    return (
        choice.release.version,
        choice.build.variant == CPU,
        (cuda.major, cuda.minor) if cuda else (0, 0),
        Version(choice.pythons[-1]),
    )


def _choice(search: Search, wheel: LocalWheel, wheels: list[LocalWheel]) -> Choice | str:
    given, wants = search.given, search.wants
    public = Version(wheel.version.public)
    if not wheel.is_for(given.wheels):
        return f"is not for {given.platform}"
    if wants.torch is not None and not wants.torch.value.admits(public):
        return f"is not the torch that is asked for ({wants.torch.value})"
    release = _release(search, public)
    if release is None:
        return "is a release that is in no table"
    asked = wants.python.value if wants.python else None
    own = search.ground.pythons
    pythons = tuple(p for p in wheel.pythons if admits_python(asked, p) and (own is None or p in own))
    if not pythons:
        return f"is for Python {', '.join(wheel.pythons) or '?'}"
    variant = Variant(wheel.version.local) if wheel.version.local else release.default.get(given.wheels, CPU)
    build = given.catalog.build(release, given.wheels, variant)
    if build is None:
        return f"is a build ({variant}) that is in no table"
    narrowed = replace(search, only_default=False)
    if (why := _unfit(narrowed, build)) is not None:
        return why
    for package in wants.companions:
        if not _has_companion(search, wheels, release, package, variant, pythons):
            return f"has no {package} beside it, which the project uses"
    companions = tuple(
        (package, version)
        for package, version in (("torchvision", release.torchvision), ("torchaudio", release.torchaudio))
        if version
    )
    return Choice(release=release, build=build, pythons=pythons, companions=companions, wheel=wheel.file)


def _release(search: Search, version: Version) -> TorchRelease | None:
    known = search.given.catalog.release(version)
    if known is None and version > search.given.catalog.newest.version:
        return search.given.catalog.extrapolated(version)
    return known


def _unfit(search: Search, build: TorchBuild) -> str | None:
    """Why this build is not one that was asked for, or does not run here."""
    target = search.target
    if target.named is not None and build.variant != target.named.value:
        return f"is not the build {target.named.value}"
    if target.kind == "cpu":
        return None if build.variant == CPU else f"is a build for {build.variant}, not for the processor"
    if target.kind == "cuda":
        if build.variant.cuda is None:
            return "is not a CUDA build"
        because, _ = search.refuses(build)
        return because
    return None if build.variant.name.startswith(target.kind) else f"is not a build for {target.kind}"


def _has_companion(
    search: Search, wheels: list[LocalWheel], release: TorchRelease, package: str, variant: Variant, pythons: tuple[str, ...]
) -> bool:
    wanted = release.torchvision if package == "torchvision" else release.torchaudio
    return any(
        wheel.name == package
        and wheel.version.public == wanted
        and wheel.version.local in (None, variant.name)
        and wheel.is_for(search.given.wheels)
        and (not wheel.pythons or set(wheel.pythons) & set(pythons))
        for wheel in wheels
    )
