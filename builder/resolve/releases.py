"""Which releases of torch come into question: those the request admits, narrowed by what else the project pins."""

from __future__ import annotations

import re
from collections.abc import Callable

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from builder.catalog.rows import TorchRelease
from builder.errors import WsbError
from builder.model.values import Located, VersionRequest
from builder.resolve.choice import companion_version, goes_with
from builder.resolve.given import Given, listed
from builder.resolve.notes import Notes
from builder.resolve.wants import Wants


def candidates(given: Given, wants: Wants, notes: Notes) -> tuple[TorchRelease, ...]:
    """Releases that fit every request, newest first; one made up from the newest known when a later one is asked for.

    Raises WsbError no-such-torch when the request fits no release there is or could be.
    """
    request = wants.torch.value if wants.torch else None
    found = admitted(given, request)
    if not found and request is not None and wants.torch is not None:
        later = _later_than_known(request, given.catalog.newest.version)
        if later is None:
            raise _no_such_torch(given, wants.torch)
        found = (given.catalog.extrapolated(later),)
        _say_extrapolated(given, notes, later)
    for package in ("torchvision", "torchaudio"):
        found = _narrowed(found, *_companion_rule(given, wants, package), notes)
    for line, _ in wants.pip:
        row = given.catalog.package(line.name)
        if row is None or line.url is not None:
            continue
        if "torch" in row and not line.asks:
            found = _narrowed(found, _admits(row["torch"]), f"{line.name} needs torch {row['torch']}", notes)
        if line.request is None or "pins" not in row:
            continue
        made_for = _made_for(row["pins"], line.request)
        if made_for:
            found = _narrowed(found, _admits_any(made_for), f"{line.text} is made for torch {made_for[0]}", notes)
    return found


def admitted(given: Given, request: VersionRequest | None) -> tuple[TorchRelease, ...]:
    """Known releases a request admits. A long-term-support release is not on PyPI, so only one who pins it gets it."""
    return tuple(
        release
        for release in given.catalog.releases
        if (request is None or request.admits(release.version))
        and (not release.is_lts or (request is not None and request.is_pinned))
    )


def _narrowed(
    found: tuple[TorchRelease, ...], fits: Callable[[TorchRelease], bool] | None, because: str, notes: Notes
) -> tuple[TorchRelease, ...]:
    """Releases that fit one more rule; all of them, with a warning, when none does."""
    if fits is None:
        return found
    kept = tuple(release for release in found if fits(release))
    if kept:
        return kept
    notes.warn("pins-disagree", f"{because}, which no torch fits that is asked for; the request for torch counts")
    return found


def _companion_rule(given: Given, wants: Wants, package: str) -> tuple[Callable[[TorchRelease], bool] | None, str]:
    request = wants.companion(package)
    if request is None or request.value.is_any or not request.value.specifiers:
        return None, ""
    wanted = request.value

    def fits(release: TorchRelease) -> bool:
        version = companion_version(given, wants, release, package)
        return version is not None and wanted.admits(Version(version))

    made_for = [row for row in given.catalog.companions(package) if wanted.admits(row.version)]
    because = f"{package} {wanted} ({request.where})"
    if (
        made_for
        and made_for[0].requires_torch
        and not any(goes_with(made_for[0].requires_torch, r) for r in admitted(given, None))
    ):
        return None, because
    torch = f" is made for torch {made_for[0].requires_torch}" if made_for else " is in no table"
    return fits, because + torch


def _made_for(pins: dict[str, str], request: VersionRequest) -> tuple[str, ...]:
    """The torch that each admitted release of a package was made for, that of the newest first; () when none is known."""
    admitted_ones = (version for version in sorted(pins, key=Version, reverse=True) if request.admits(Version(version)))
    return tuple(pins[version] for version in admitted_ones)


def _admits_any(specifiers: tuple[str, ...]) -> Callable[[TorchRelease], bool]:
    wanted = [SpecifierSet(specifier) for specifier in specifiers]
    return lambda release: any(one.contains(release.version) for one in wanted)


def _admits(specifier: str) -> Callable[[TorchRelease], bool]:
    wanted = SpecifierSet(specifier)
    return lambda release: wanted.contains(release.version)


def _later_than_known(request: VersionRequest, newest: Version) -> Version | None:
    """The first release after the newest known that a request admits; None when it can admit none."""
    tries = [f"{newest.major}.{newest.minor + 1}.0", f"{newest.major + 1}.0.0", f"{newest}.1"]
    tries += [f"{newest.major}.{newest.minor}.{newest.micro + 1}"]
    for specifier in request.specifiers:
        bare = specifier.version.removesuffix(".*")
        tries += [bare, bare + ".0", bare + ".0.0", _bumped(bare)]
    versions = []
    for text in tries:
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        if version > newest and len(version.release) == 3 and request.admits(version):
            versions.append(version)
    return min(versions, default=None)


def _bumped(text: str) -> str:
    match = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)?", text)
    return f"{match[1]}.{int(match[2]) + 1}.0" if match else text


def _say_extrapolated(given: Given, notes: Notes, version: Version) -> None:
    known = given.catalog.newest.version
    notes.warn(
        "torch-extrapolated",
        f"torch {version} is newer than the tables (of {given.catalog.date('torch')}, up to {known}); "
        f"it is planned as if it were built like {known}",
    )


def _no_such_torch(given: Given, asked: Located[VersionRequest]) -> WsbError:
    releases = given.catalog.releases
    oldest, newest = releases[-1].version, releases[0].version
    numbers = [Version(text) for s in asked.value.specifiers if (text := s.version.removesuffix(".*")) and text[0].isdigit()]
    near = min(numbers, default=newest)
    if near < oldest:
        hint = f'the oldest torch known here is {oldest}: set `torch: "{oldest.major}.{oldest.minor}"`'
        return WsbError("no-such-torch", f"torch {asked.value} is older than any known here", asked.where, hints=(hint,))
    same = [r.version for r in releases if r.version.release[:2] == near.release[:2]]
    closest = sorted(releases, key=lambda r: _distance(r.version, near))[:1]
    details = (f"of torch {near.major}.{near.minor} there are: {listed(sorted(same))}",) if same else ()
    hints = tuple(f'the nearest release is {r.version}: set `torch: "{r.version}"`' for r in closest)
    return WsbError("no-such-torch", f"there is no torch {asked.value}", asked.where, hints=hints, details=details)


def _distance(known: Version, asked: Version) -> tuple[int, int, int]:
    """How far a release is from one that is asked for; of a series asked for as a whole the last patch is nearest."""
    patch = abs(known.micro - asked.micro) if len(asked.release) > 2 else -known.micro
    return abs(known.major - asked.major), abs(known.minor - asked.minor), patch
