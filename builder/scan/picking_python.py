"""The Python that `wsb init` proposes where the project's own files leave it open.

Every file's range narrows it, then what torch and the pins have wheels for; of the rest a witness's word counts, else how
old the project is.
"""

from __future__ import annotations

from collections.abc import Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog.rows import LINUX_X86_64, TorchRelease
from builder.model.values import VersionRequest
from builder.scan.deciding import Pick, Told, limit, made_for
from builder.scan.eras import Wheels, earlier, frozen_for, served

_SETTLED_PYTHON_DAYS = 396  # how long a Python has been out before most packages have files for it


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
    dated = limit(told)
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
    return Pick(value=fitting[-1], because=_why_python(fitting[-1], wheels, release, day))


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
    wanted = made_for(told)
    for release in told.catalog.releases:
        is_asked = request is None or request.admits(release.version)
        is_made_for = wanted is None or wanted.contains(release.version)
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


def _why_python(python: str, wheels: Wheels, release: TorchRelease | None, day: str) -> str:
    above = [line for other, line in wheels.refused if Version(other) > Version(python)]
    if above and wheels.pythons[-1:] == (python,):
        text = above[-1].text
        return f"the newest that {text} has files for" if len(text) < 60 else "the newest that its pins have files for"
    known = f"torch {release.version} has files for it, and " if release is not None else ""
    return f"{known}it was out for a year when the project was written ({day[:7]})"
