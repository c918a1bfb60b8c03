"""The search: which release and which build run here, and why the others do not.

Newest release first; of its builds the one that is named, else declared by the project, else served by the default index,
else the highest CUDA.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from packaging.version import Version

from builder.catalog import Catalog
from builder.catalog.rows import TorchBuild, TorchRelease
from builder.model.frozen import frozen
from builder.model.values import CPU, CudaVersion
from builder.resolve.given import Given, admits_python, listed
from builder.resolve.ground import Ground
from builder.resolve.limits import code_refuses, driver_refuses, serves
from builder.resolve.target import Target
from builder.resolve.wants import Wants

RefusalKind = Literal["platform", "glibc", "python", "companion", "variant", "driver", "gpu"]


@frozen
class Choice:
    """A build that runs here. refused: the release's other builds and why not. wheel: the local file it comes from."""

    release: TorchRelease
    build: TorchBuild
    pythons: tuple[str, ...]
    companions: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[TorchBuild, str], ...] = ()
    wheel: str | None = None
    passed_over: tuple[Refusal, ...] = ()

    def companion(self, package: str) -> str | None:
        return dict(self.companions).get(package)


@frozen
class Refusal:
    """A release that does not run here. builds: its builds and why not."""

    release: TorchRelease
    kind: RefusalKind
    because: str
    builds: tuple[tuple[TorchBuild, str], ...] = ()


@frozen
class Search:
    """The question: everything but the releases to look through. only_default: other indexes are out of reach."""

    given: Given
    wants: Wants
    target: Target
    ground: Ground
    only_default: bool = False
    with_compiler: bool = False

    def among(self, releases: Sequence[TorchRelease]) -> Choice | tuple[Refusal, ...]:
        """The first release that runs, with those passed over; or every refusal."""
        refusals: list[Refusal] = []
        for release in releases:
            found = self.of(release)
            if isinstance(found, Refusal):
                refusals.append(found)
                continue
            return Choice(
                release=found.release,
                build=found.build,
                pythons=found.pythons,
                companions=found.companions,
                refused=found.refused,
                passed_over=tuple(refusals),
            )
        return tuple(refusals)

    def all_among(self, releases: Iterable[TorchRelease]) -> tuple[Choice, ...]:
        """Every release that runs."""
        return tuple(found for release in releases if isinstance(found := self.of(release), Choice))

    def of(self, release: TorchRelease) -> Choice | Refusal:
        """What this release has for here."""
        companions = tuple(
            (package, version)
            for package in ("torchvision", "torchaudio")
            if (version := companion_version(self.given, self.wants, release, package))
        )
        pythons = self._pythons(release, dict(companions))
        if isinstance(pythons, Refusal):
            return pythons
        builds = self._builds(release)
        if isinstance(builds, Refusal):
            return builds
        least = release.glibc.get(self.given.wheels)
        if self.ground.glibc and least and Version(self.ground.glibc) < Version(least):
            reason = f"torch {release.version} needs glibc >= {least}; {self.ground.stands_on} has glibc {self.ground.glibc}"
            return Refusal(release=release, kind="glibc", because=reason)
        runnable: list[TorchBuild] = []
        refused: list[tuple[TorchBuild, str]] = []
        blames: set[RefusalKind] = set()
        for build in builds:
            because, blame = self.refuses(build)
            if because is None:
                runnable.append(build)
            else:
                refused.append((build, because))
                blames.add(blame)
        if not runnable:
            kind: RefusalKind = "driver" if "driver" in blames else "gpu"
            because = self._nearest_reason([(build, why) for build, why in refused if self.refuses(build)[1] == kind])
            return Refusal(release=release, kind=kind, because=because, builds=tuple(refused))
        best = self._best(runnable)
        others = [(build, self._why_not_best(best)) for build in runnable if build != best]
        return Choice(release=release, build=best, pythons=pythons, companions=companions, refused=tuple(refused + others))

    def _pythons(self, release: TorchRelease, companions: dict[str, str]) -> tuple[str, ...] | Refusal:
        """The Pythons that torch, the companions in use, the base and the request all allow."""
        given, platform = self.given, self.given.wheels
        offered = release.python_of(platform)
        if not offered:
            reason = f"torch {release.version} has no files for {given.platform}"
            return Refusal(release=release, kind="platform", because=reason)
        asked = self.wants.python.value if self.wants.python else None
        fitting = tuple(python for python in offered if admits_python(asked, python))
        if not fitting:
            reason = f"torch {release.version} is built for Python {listed(offered)}"
            return Refusal(release=release, kind="python", because=reason)
        if self.ground.pythons is not None:
            fitting = tuple(python for python in fitting if python in self.ground.pythons)
            if not fitting:
                reason = f"torch {release.version} is built for Python {listed(offered)}; {self.ground.because}"
                return Refusal(release=release, kind="python", because=reason)
        for package in self.wants.companions:
            row = given.catalog.companion(package, companions.get(package))
            if row is None:
                continue
            have = tuple(python for python in fitting if row.has_python(platform, python))
            if not have:
                tags = listed((f"cp{python.replace('.', '')}" for python in fitting), "or")
                reason = f"{package} {row.version}, made for torch {release.version}, has no {tags} wheel"
                return Refusal(release=release, kind="companion", because=reason)
            fitting = have
        return fitting

    def _builds(self, release: TorchRelease) -> tuple[TorchBuild, ...] | Refusal:
        """The builds that come into question for the target."""
        target, platform = self.target, self.given.wheels
        builds = self.given.catalog.builds(release, platform)
        if self.only_default:
            builds = tuple(build for build in builds if build.is_default)
        elif target.named is not None:
            builds = tuple(build for build in builds if build.variant == target.named.value)
        else:
            builds = tuple(build for build in builds if _is_of_kind(build, target) and (build.is_advertised or release.is_lts))
            if self.with_compiler:
                builds = tuple(build for build in builds if has_compiler(self.given.catalog, build)) or builds
        if builds:
            return builds
        wanted = target.named.value if target.named else target.kind.upper()
        return Refusal(
            release=release, kind="variant", because=f"torch {release.version} has no {wanted} build for {self.given.platform}"
        )

    def refuses(self, build: TorchBuild) -> tuple[str | None, RefusalKind]:
        """Why this build does not run here, and which limit says so; code first, since no driver helps there."""
        if self.target.kind != "cuda":
            return None, "gpu"
        because = code_refuses(build, self.target, self.given.catalog)
        if because is not None and not self._serves_some(build):
            return because, "gpu"
        return driver_refuses(build.variant, self.target, self.given.catalog), "driver"

    def _nearest_reason(self, refused: Sequence[tuple[TorchBuild, str]]) -> str:
        """The reason of the build that came closest: for an old card the one with the oldest code."""
        cards = [gpu.compute_capability for gpu in self.target.gpus if gpu.compute_capability]
        if cards and all(build.code and min(cards) < build.code.sm[0] for build, _ in refused):
            return min(refused, key=lambda pair: pair[0].code.sm[0] if pair[0].code else min(cards))[1]
        return refused[-1][1]

    def _serves_some(self, build: TorchBuild) -> bool:
        """A build that is named may leave some of several cards out."""
        if self.target.named is None or len(self.target.gpus) < 2:
            return False
        return any(serves(build, gpu, self.target, self.given.catalog) for gpu in self.target.gpus)

    def _best(self, runnable: Sequence[TorchBuild]) -> TorchBuild:
        declared = self.wants.declared.value if self.wants.declared else None
        for build in runnable:
            if build.variant == declared:
                return build
        if self.target.trusts_index or self.target.kind == "cpu":
            for build in runnable:
                if build.is_default:
                    return build
        return runnable[-1]  # builds come in rising order

    def _why_not_best(self, best: TorchBuild) -> str:
        if self.wants.declared and best.variant == self.wants.declared.value:
            return f"the project itself declares {best.variant}"
        if best.is_default and self.target.trusts_index:
            return f"would run too; {best.variant} is what the default index serves, so mirrors carry it"
        return f"would run too; {best.variant} is newer"


def has_compiler(catalog: Catalog, build: TorchBuild) -> bool:
    """Whether some image is left that has nvcc for this build: NVIDIA's of the same major, or pytorch's of the same CUDA."""
    cuda = build.variant.cuda
    if cuda is None:
        return True
    kept = (CudaVersion.parse(image.cuda) for image in catalog.nvidia_images)
    return any(one.major == cuda.major and one <= cuda for one in kept) or any(
        image.cuda == str(cuda) for image in catalog.pytorch_images
    )


def companion_version(given: Given, wants: Wants, release: TorchRelease, package: str) -> str | None:
    """The torchvision or torchaudio for this torch: the one made for it, else another that admits both it and the request."""
    usual = release.torchvision if package == "torchvision" else release.torchaudio
    request = wants.companion(package)
    if request is None or (usual is not None and request.value.admits(Version(usual))):
        return usual
    for row in given.catalog.companions(package):
        if row.is_yanked and not request.value.is_pinned:
            continue
        if request.value.admits(row.version) and goes_with(row.requires_torch, release):
            return str(row.version)
    return usual


def goes_with(requires_torch: str | None, release: TorchRelease) -> bool:
    from packaging.specifiers import SpecifierSet

    return requires_torch is not None and SpecifierSet(requires_torch).contains(release.version)


def _is_of_kind(build: TorchBuild, target: Target) -> bool:
    match target.kind:
        case "cpu":
            return build.variant == CPU
        case "cuda":
            return build.variant.cuda is not None
        case "rocm":
            return build.variant.is_rocm
        case "xpu":
            return build.variant.name == "xpu"
