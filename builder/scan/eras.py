"""How old a project is, from the versions it names; and which Pythons its pins have files for.

A pin dates a project from below, closely where many are pinned; a lower bound only says that it is not older; an upper
bound such as numpy<1.24 was written when that version appeared.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from builder.catalog import Catalog
from builder.catalog.packages import normal
from builder.model.project import Project
from builder.model.values import Located, Location, VersionRequest

AFTER_A_PIN_DAYS = 92  # people pin what is new, and pins of one project lie months apart
AFTER_A_BOUND_DAYS = 365  # a lower bound is raised seldom


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """One thing that dates a project. until: the last day that is still likely, as 2023-05-01."""

    text: str
    where: Location
    day: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One package with what is asked of its versions."""

    name: str
    specifiers: SpecifierSet
    text: str
    where: Location


def asked(project: Project) -> tuple[Asked, ...]:
    """Every package of a project, pip's and conda's, whose versions can be compared."""
    found = []
    for one in (*project.pip, *project.conda):
        line = re.match(r"(?:[^\s:]+::)?([A-Za-z0-9_][A-Za-z0-9_.-]*)\s*(?:\[[^\]]*\])?\s*([^;@\[]*)", one.value)
        if line and "@" not in one.value:
            specifiers = _specifiers(line[2])
            if specifiers is not None:
                found.append(Asked(name=normal(line[1]), specifiers=specifiers, text=one.value.strip(), where=one.where))
    return tuple(found)


def _specifiers(text: str) -> SpecifierSet | None:
    """conda's =1.24=py39_0 counts as 1.24.*."""
    bare = text.strip().strip("()").strip()
    if bare and not bare.startswith(("<", ">", "!", "~", "==")):
        number = re.match(r"=?\s*(\d+(?:\.\d+)*)", bare)
        bare = f"=={number[1]}.*" if number else ""
    elif bare.startswith("=="):
        number = re.match(r"==\s*([0-9][A-Za-z0-9.!]*?)(\.\*)?(=[^,]*)?(,|$)", bare)
        bare = f"=={number[1]}{number[2] or ''}" if number else bare
    try:
        return SpecifierSet(bare)
    except InvalidSpecifier:
        return None


def era(project: Project, torch: Located[VersionRequest] | None, catalog: Catalog) -> Dated | None:
    """What dates the project latest; None when nothing does."""
    found = [one for line in asked(project) if (one := _dated(line, catalog))]
    if torch is not None:
        found += _dated_by_torch(torch, catalog)
    pinned = [one for one in found if one.until == _later(one.day, AFTER_A_PIN_DAYS)]
    if len(pinned) >= 3:  # a frozen list: what it leaves open says nothing more
        last = max(pinned, key=lambda one: one.day)
        found = [one for one in found if one in pinned or one.day > last.day]
        found = [_at_pin(one) for one in found]
    return max(found, key=lambda one: (one.until, one.day), default=None)


def _at_pin(one: Dated) -> Dated:
    return Dated(text=one.text, where=one.where, day=one.day, until=_later(one.day, AFTER_A_PIN_DAYS))


def _dated(line: Asked, catalog: Catalog) -> Dated | None:
    """The day a requirement speaks of."""
    everything = catalog.ages(line.name, SpecifierSet(""))
    if not everything:
        return None
    days = {age.version: age.released for age in everything}
    exact = list(catalog.ages(line.name, line.specifiers)) if _is_exact(line.specifiers) else []
    if exact:
        return Dated(text=line.text, where=line.where, day=exact[0].released, until=_later(exact[0].released, AFTER_A_PIN_DAYS))
    spoken = [day for specifier in line.specifiers if (day := _day_of(specifier, days))]
    day = max(spoken, default=min(days.values()))
    return Dated(text=line.text, where=line.where, day=day, until=_later(day, AFTER_A_BOUND_DAYS))


def _is_exact(specifiers: SpecifierSet) -> bool:
    return any(one.operator in ("==", "===", "~=") for one in specifiers)


def _day_of(specifier: Specifier, days: dict[Version, str]) -> str | None:
    """The day on which the version that a bound names came out, or the next one after it."""
    try:
        version = Version(specifier.version.removesuffix(".*"))
    except InvalidVersion:
        return None
    if specifier.operator in ("<", "<=") and (version.release[1:] in ((), (0,), (0, 0))):
        return None  # <2 is written long before there is a 2
    later = [known for known in days if known >= version]
    return days[min(later)] if later else None


def _dated_by_torch(torch: Located[VersionRequest], catalog: Catalog) -> list[Dated]:
    found = []
    for specifier in torch.value.specifiers:
        if specifier.operator in ("<", "<="):
            continue
        version = Version(specifier.version.removesuffix(".*"))
        later = [release for release in catalog.releases if release.version >= version]
        if later:
            day = later[-1].released
            found.append(Dated(text=f"torch {torch.value}", where=torch.where, day=day, until=_later(day, AFTER_A_BOUND_DAYS)))
    return found


def _later(day: str, days: int) -> str:
    return (datetime.date.fromisoformat(day) + datetime.timedelta(days=days)).isoformat()


def earlier(day: str, days: int) -> str:
    """The day that many days before."""
    return (datetime.date.fromisoformat(day) - datetime.timedelta(days=days)).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """What the pins leave of some Pythons. refused: a Python → the pin that has no file for it."""

    pythons: tuple[str, ...]
    refused: tuple[tuple[str, Asked], ...] = ()


def served(pythons: Iterable[str], project: Project, catalog: Catalog) -> Wheels:
    """Those Pythons that every pinned or bounded package of the project has a Linux wheel for."""
    left = list(pythons)
    refused: list[tuple[str, Asked]] = []
    for line in asked(project):
        if not any(one.operator in ("==", "===", "~=", "<", "<=") for one in line.specifiers):
            continue
        ages = catalog.ages(line.name, line.specifiers)
        if not ages:
            continue
        fitting = [python for python in left if any(age.serves(python) for age in ages)]
        if not fitting:
            continue  # no Python has it: a pin that only its source serves, or one that contradicts the others
        refused.extend((python, line) for python in left if python not in fitting)
        left = fitting
    return Wheels(pythons=tuple(left), refused=tuple(refused))
