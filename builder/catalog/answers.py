"""Answers to questions put to the tables themselves, as the JSON documents of `wsb catalog --json`.

Each answer says what is in the tables, with the sources of the rows it rests on; nothing is decided here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from packaging.version import InvalidVersion, Version

from builder.catalog.catalog import Catalog
from builder.catalog.rows import LINUX_X86_64, PLATFORMS, CompanionRelease, TorchBuild, TorchRelease
from builder.errors import WsbError
from builder.model.values import VersionRequest

SCHEMA = "wsb.catalog/1"
Answer = dict[str, Any]


def answer(kind: str, **content: Any) -> Answer:
    """A document: what was asked, what is known; a key without meaning is left out."""
    return {"schema": SCHEMA, "kind": kind, **{key: value for key, value in content.items() if value is not None}}


def release_named(catalog: Catalog, text: str) -> TorchRelease:
    """The newest release a text such as "2.6", "2.6.0" or "latest" means. Raises WsbError no-such-torch."""
    try:
        request = VersionRequest.parse(text)
    except ValueError as error:
        raise WsbError("bad-value", str(error)) from None
    for release in catalog.releases:
        if request.admits(release.version) and (not release.is_lts or request.is_pinned):
            return release
    later = [
        one for one in (_version(text), _version(f"{text}.0")) if one and one > catalog.newest.version and len(one.release) > 2
    ]
    if later:
        return catalog.extrapolated(later[0])
    known = [str(release.version) for release in catalog.releases]
    close = difflib.get_close_matches(text, known, n=3)
    hints = [f"near to it are {', '.join(close)}"] if close else [f"known are {known[-1]} to {known[0]}"]
    raise WsbError("no-such-torch", f"torch {text} is not in the tables", hints=hints)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def releases(catalog: Catalog) -> Answer:
    """Every release, newest first, in one line each."""
    rows = [
        {
            "torch": str(release.version),
            "released": release.released,
            "default": str(release.default[LINUX_X86_64]) if LINUX_X86_64 in release.default else None,
            "variants": [str(build.variant) for build in catalog.builds(release, LINUX_X86_64)],
            "python": list(release.python_of(LINUX_X86_64)),
            "torchvision": release.torchvision,
            "torchaudio": release.torchaudio,
        }
        for release in catalog.releases
    ]
    return answer("torch", releases=rows, sources=_sources(catalog, "torch"), date=catalog.date("torch"))


def torch(
    catalog: Catalog,
    version: str,
    *,
    platform: str | None = None,
    python: str | None = None,
    variant: str | None = None,
) -> Answer:
    """One release: builds with their machine code and driver, Pythons, companions, what the default index serves.

    platform: as wheels spell it; linux_x86_64 when None. python: adds whether there is a wheel for it.
    variant: only this build. Raises WsbError no-such-torch for a release or a build that is not there.
    """
    version, _, local = version.partition("+")
    release, variant = release_named(catalog, version), variant or local or None
    _known_platform(platform)
    wanted = platform or LINUX_X86_64
    default = release.default.get(wanted)
    builds = catalog.builds(release, wanted)
    if variant is not None and variant not in {str(build.variant) for build in builds}:
        hint = f"it is built for {_listed(build.variant for build in builds)}" if builds else f"it has no files for {wanted}"
        raise WsbError("no-such-torch", f"torch {release.version} has no build {variant} for {wanted}", hints=[hint])
    document = answer(
        "torch",
        torch=str(release.version),
        released=release.released,
        platform=wanted,
        variant=variant or (str(default) if default else None),
        extrapolated=f"newer than the tables; as {release.known_as} is" if release.is_extrapolated else None,
        default={name: str(variant) for name, variant in release.default.items()},
        python={name: list(pythons) for name, pythons in release.pythons.items()},
        builds=[build_row(catalog, build) for build in builds if variant in (None, str(build.variant))],
        torchvision=release.torchvision,
        torchaudio=release.torchaudio,
        torchtext=release.torchtext,
        cudnn=release.cudnn,
        triton=release.triton,
        glibc=dict(release.glibc),
        note=release.note,
        unverified=release.unverified,
        doubts=[
            {"variants": [str(one) for one in doubt.variants], "because": doubt.because, "may_exist": doubt.is_missing}
            for doubt in release.doubts
        ]
        or None,
        sources=catalog.tables.sources("torch", release.source),
    )
    return document | (has_python(catalog, release, python, wanted) if python else {})


def build_row(catalog: Catalog, build: TorchBuild) -> Answer:
    """One build: its code, the driver it needs, where it lies."""
    row: Answer = {"variant": str(build.variant), "local": build.local, "advertised": build.is_advertised}
    if build.code is not None:
        row["compute_capabilities"] = [str(code) for code in build.code.sm]
        if build.code.ptx:
            row["ptx"] = [str(code) for code in build.code.ptx]
        if build.code.unverified:
            row["unverified"] = build.code.unverified
        row["sources"] = catalog.tables.sources("machine_code", build.code.source)
    if build.variant.cuda:
        for key, os in (("driver_linux", "linux"), ("driver_windows", "windows")):
            floor = catalog.driver_floor(build.variant, os)  # type: ignore[arg-type]
            row[key] = str(floor) if floor else None
        row["cudnn"] = catalog.cudnn(build)
    row["default_index"] = build.is_default
    if not build.is_default:
        row["index_url"] = build.index_url or build.find_links
    return {key: value for key, value in row.items() if value is not None}


def has_python(catalog: Catalog, release: TorchRelease, python: str, platform: str, **companions: str | None) -> Answer:
    """Whether a release has a wheel for one Python, with the companions named; and the nearest that has."""
    wheel = python in release.python_of(platform)
    missing = [
        f"{package} {row.version} has no cp{python.replace('.', '')} wheel"
        for package, version in companions.items()
        if version and (row := catalog.companion(package, version)) is not None and not row.has_python(platform, python)
    ]
    with_python = [one.version for one in catalog.releases if python in one.python_of(platform) and not one.is_lts]
    reason = None if wheel else f"torch {release.version} has no cp{python.replace('.', '')} wheel for {platform}"
    older = [version for version in with_python if version < release.version]
    facts = {
        "ok": wheel and not missing,
        "reason": reason or ("; ".join(missing) or None),
        "error": None if wheel else "no-wheel",
        "first_torch_with_python": str(min(with_python)) if with_python else None,
        "newest_torch_with_python": str(max(with_python)) if with_python else None,
        "newest_ok": str(max(older)) if older and not wheel else None,
    }
    return {key: value for key, value in facts.items() if value is not None}


def python(
    catalog: Catalog,
    python: str,
    *,
    torch: str | None = None,
    platform: str = LINUX_X86_64,
    torchvision: str | None = None,
    torchaudio: str | None = None,
) -> Answer:
    """Which releases have a wheel for a Python; with torch, whether that one has."""
    _known_platform(platform)
    if not re.fullmatch(r"\d\.\d+", python):
        raise WsbError("bad-value", f"{python!r} is not a Python such as 3.11", hints=["such as `wsb catalog python 3.11`"])
    fitting = [str(one.version) for one in catalog.releases if python in one.python_of(platform)]
    document = answer("python", python=python, platform=platform, torch=fitting, sources=_sources(catalog, "torch"))
    if torch is None:
        return document
    release = release_named(catalog, torch)
    verdict = has_python(catalog, release, python, platform, torchvision=torchvision, torchaudio=torchaudio)
    return document | {"torch": str(release.version)} | verdict


def companions(catalog: Catalog, version: str) -> Answer:
    """The torchvision, torchaudio and torchtext made for a torch."""
    release = release_named(catalog, version)
    return answer(
        "companions",
        torch=str(release.version),
        torchvision=release.torchvision,
        torchaudio=release.torchaudio,
        torchtext=release.torchtext,
        sources=_sources(catalog, "companions"),
    )


def companion(catalog: Catalog, package: str, version: str) -> Answer:
    """The torch that a torchvision or torchaudio was made for."""
    row = catalog.companion(package, version) or _newest_companion(catalog, package, version)
    if row is None:
        known = [str(one.version) for one in catalog.companions(package)]
        close = difflib.get_close_matches(version, known, n=3)
        raise WsbError("bad-value", f"{package} {version} is not in the tables", hints=[f"near to it are {', '.join(close)}"])
    usual = "torchvision" if package == "torchvision" else "torchaudio"
    made_for = [str(one.version) for one in catalog.releases if getattr(one, usual) == str(row.version)]
    return answer(
        package,
        version=str(row.version),
        requires_torch=row.requires_torch,
        torch=made_for,
        python={name: list(pythons) for name, pythons in row.pythons.items()},
        yanked=row.is_yanked or None,
        sources=_sources(catalog, "companions"),
    )


def _newest_companion(catalog: Catalog, package: str, text: str) -> CompanionRelease | None:
    """The newest release that a text such as "0.21" or "latest" means."""
    try:
        request = VersionRequest.parse(text)
    except ValueError:
        return None
    return next((row for row in catalog.companions(package) if request.admits(row.version) and not row.is_yanked), None)


def _sources(catalog: Catalog, table: str) -> list[str]:
    return catalog.tables.sources(table, tuple(catalog.tables[table]["sources"]))


def _known_platform(platform: str | None) -> None:
    if platform is not None and platform not in PLATFORMS:
        hint = f"known are {_listed(PLATFORMS)}"
        raise WsbError("bad-value", f"{platform!r} is not a platform of wheels", hints=[hint])


def _listed(words: Iterable[object]) -> str:
    return ", ".join(str(word) for word in words)


def newer_first(versions: Iterable[str]) -> list[str]:
    return sorted(versions, key=Version, reverse=True)
