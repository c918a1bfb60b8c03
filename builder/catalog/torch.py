"""Queries over releases of torch and what goes with them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog.rows import CompanionRelease, Doubt, MachineCode, Row, TorchBuild, TorchRelease
from builder.catalog.tables import Tables
from builder.model.values import CPU, ComputeCapability, CudaVersion, Variant


class TorchTable:
    """Releases, builds and companions. Part of the Catalog."""

    tables: Tables
    _built: dict[tuple[Version, str], tuple[TorchBuild, ...]]

    @cached_property
    def releases(self) -> tuple[TorchRelease, ...]:
        """Every known release of torch, newest first."""
        rows = (_release(row) for row in self.tables.rows("torch"))
        return tuple(sorted(rows, key=lambda release: release.version, reverse=True))

    @property
    def newest(self) -> TorchRelease:
        return self.releases[0]

    def release(self, version: Version | str) -> TorchRelease | None:
        """The release of exactly this version, None when the table has none."""
        wanted = Version(str(version))
        return next((release for release in self.releases if release.version == wanted), None)

    def extrapolated(self, version: Version) -> TorchRelease:
        """A release newer than the table, with the facts of the newest known one.

        torchvision and torchaudio stay where their metadata admits this torch; else nothing is known about them.
        """
        known = self.newest
        vision = self.companion("torchvision", known.torchvision)
        audio = self.companion("torchaudio", known.torchaudio)
        return replace(
            known,
            version=version,
            torchvision=known.torchvision if _admits(vision, version) else None,
            torchaudio=known.torchaudio if _admits(audio, version) else None,
        )

    def builds(self, release: TorchRelease, platform: str) -> tuple[TorchBuild, ...]:
        """Every build of this release for a platform, CPU first, then by rising CUDA, then ROCm and XPU."""
        key = (release.version, platform)
        if key not in self._built:
            self._built[key] = tuple(self._build(release, platform, variant) for variant in _variants(release, platform))
        return self._built[key]

    def build(self, release: TorchRelease, platform: str, variant: Variant) -> TorchBuild | None:
        return next((build for build in self.builds(release, platform) if build.variant == variant), None)

    def code(self, version: Version, platform: str, variant: Variant) -> MachineCode | None:
        """The machine code in a build; None for a build without code for NVIDIA GPUs, or an unknown one."""
        for since, until, code in self._codes.get((platform, variant.name), ()):
            if since <= version <= until:
                return code
        return None

    def cudnn(self, build: TorchBuild) -> str | None:
        """The cuDNN inside a build; None where no list tells. What the default index serves says it in its metadata."""
        release = self.release(build.version)
        if build.is_default and release is not None and release.cudnn:
            return release.cudnn
        for row in self.tables.rows("cudnn"):
            if row["variant"] == build.variant.name and Version(row["since"]) <= build.version <= Version(row["until"]):
                return str(row["cudnn"])
        return None

    def companion(self, package: str, version: str | None) -> CompanionRelease | None:
        """A release of torchvision or torchaudio."""
        return self._companions.get((package, version)) if version else None

    def companions(self, package: str) -> tuple[CompanionRelease, ...]:
        """All releases of torchvision or torchaudio, newest first."""
        found = [row for (name, _), row in self._companions.items() if name == package]
        return tuple(sorted(found, key=lambda row: row.version, reverse=True))

    @cached_property
    def _indexes(self) -> list[tuple[Version, Version, Row]]:
        rows = self.tables.rows("torch", "indexes")
        return [(Version(row["since"]), Version(row.get("until", "9999")), row) for row in rows]

    @cached_property
    def _companions(self) -> dict[tuple[str, str], CompanionRelease]:
        return {(row["package"], row["version"]): _companion(row) for row in self.tables.rows("companions")}

    @cached_property
    def _codes(self) -> dict[tuple[str, str], list[tuple[Version, Version, MachineCode]]]:
        found: dict[tuple[str, str], list[tuple[Version, Version, MachineCode]]] = {}
        for row in self.tables.rows("machine_code"):
            entry = (Version(row["since"]), Version(row["until"]), _code(row))
            found.setdefault((row["platform"], row["variant"]), []).append(entry)
        return found

    def _build(self, release: TorchRelease, platform: str, variant: Variant) -> TorchBuild:
        index_url, find_links, doubt = self._where(release, variant)
        return TorchBuild(
            version=release.version,
            variant=variant,
            platform=platform,
            code=self.code(release.known_as, platform, variant),
            is_default=release.default.get(platform) == variant,
            is_advertised=variant not in release.unadvertised and not release.is_lts,
            index_url=index_url,
            find_links=find_links,
            place_unverified=doubt,
        )

    def _where(self, release: TorchRelease, variant: Variant) -> tuple[str | None, str | None, str | None]:
        """The torch index's address of a build, or its page of links; and why neither is certain, when it is not."""
        for since, until, row in self._indexes:
            if not since <= release.version <= until:
                continue
            if row["variants"] not in ("all", variant.name) and not (row["variants"] == "rocm" and variant.is_rocm):
                continue
            address, page = row.get("index_url"), row.get("find_links")
            return (
                address.format(variant=variant) if address else None,
                page.format(variant=variant) if page else None,
                row.get("unverified"),
            )
        return None, None, None


def _variants(release: TorchRelease, platform: str) -> tuple[Variant, ...]:
    advertised = release.builds.get(platform, ())
    if not advertised:
        return ()
    if platform != "linux_x86_64":
        return tuple(sorted(advertised, key=_order))
    others = release.rocm + ((Variant("xpu"),) if release.has_xpu else ())
    return tuple(sorted({*advertised, *release.unadvertised, *others}, key=_order))


def _order(variant: Variant) -> tuple[int, CudaVersion, tuple[int, ...]]:
    if variant == CPU:
        return 0, CudaVersion(0, 0), ()
    if variant.cuda:
        return 1, variant.cuda, ()
    numbers = variant.name.removeprefix("rocm").split(".") if variant.is_rocm else ()
    return (2 if variant.is_rocm else 3), CudaVersion(0, 0), tuple(int(number) for number in numbers)


def _release(row: Row) -> TorchRelease:
    version = Version(row["torch"])
    return TorchRelease(
        version=version,
        known_as=version,
        released=row["released"],
        pythons={platform: tuple(pythons) for platform, pythons in row["python"].items()},
        default={platform: Variant(name) for platform, name in row["default"].items()},
        builds={platform: _names(names) for platform, names in row["builds"].items()},
        unadvertised=_names(row.get("unadvertised", ())),
        rocm=_names(row.get("rocm", ())),
        has_xpu=row.get("xpu", False),
        torchvision=row.get("torchvision"),
        torchaudio=row.get("torchaudio"),
        torchtext=row.get("torchtext"),
        cudnn=row.get("cudnn"),
        triton=row.get("triton"),
        glibc=row["glibc"],
        is_lts=row.get("lts", False),
        note=row.get("note"),
        unverified=row.get("unverified"),
        doubts=tuple(
            Doubt(variants=_names(one["variants"]), because=one["because"], is_missing=one.get("missing", False))
            for one in row.get("doubts", ())
        ),
        source=tuple(row["source"]),
    )


def _names(names: Any) -> tuple[Variant, ...]:
    return tuple(Variant(name) for name in names)


def _code(row: Row) -> MachineCode:
    return MachineCode(
        sm=tuple(ComputeCapability.from_sm(number) for number in row["sm"]),
        ptx=tuple(ComputeCapability.from_sm(number) for number in row.get("ptx", ())),
        unverified=row.get("unverified"),
        source=tuple(row["source"]),
    )


def _companion(row: Row) -> CompanionRelease:
    return CompanionRelease(
        package=row["package"],
        version=Version(row["version"]),
        requires_torch=row.get("requires_torch"),
        requires_python=row.get("requires_python"),
        pythons={platform: tuple(pythons) for platform, pythons in row["python"].items()},
        is_yanked=row.get("yanked", False),
    )


def _admits(companion: CompanionRelease | None, torch: Version) -> bool:
    if companion is None:
        return False
    return companion.requires_torch is None or SpecifierSet(companion.requires_torch).contains(torch)
