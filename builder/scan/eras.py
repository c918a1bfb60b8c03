"""How old a project is, from the versions it names; and which Pythons its pins have files for.

A pin dates a project from below, closely where many are pinned; a lower bound only says that it is not older; an upper
bound such as numpy<1.24 was written when that version appeared.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from builder.catalog import Catalog
from builder.catalog.packages import normal
from builder.model.frozen import frozen
from builder.model.project import Project
from builder.model.values import Located, Location, VersionRequest

AFTER_A_LIST_DAYS = 14  # a frozen list holds what was new on its day
AFTER_A_PIN_DAYS = 92  # a single pin may be older than the project
AFTER_A_BOUND_DAYS = 396  # a lower bound is raised seldom
_A_LIST = 3  # pins that make a list


@frozen
class Dated:
    """One thing that dates a project. until: the last day that is still likely, as 2023-05-01.

    is_close: by a pin or an upper bound; False for lower bounds alone.
    """

    text: str
    where: Location
    day: str
    until: str
    is_close: bool = True


@frozen
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
        number = re.match(r"=?\s*([0-9]+(?:\.[0-9]+)*)", bare)
        bare = f"=={number[1]}.*" if number else ""
    elif bare.startswith("=="):
        number = re.match(r"==\s*([0-9][A-Za-z0-9.!]*?)(\.\*)?(=[^,]*)?(,|$)", bare)
        bare = f"=={number[1]}{number[2] or ''}" if number else bare
    try:
        return SpecifierSet(bare)
    except InvalidSpecifier:
        return None


def era(project: Project, torch: Located[VersionRequest] | None, catalog: Catalog) -> Dated | None:
    """What dates the project latest; None when no pin and no bound does.

    That a package is named at all only says that the project is not older than its first release.
    """
    lines = asked(project)
    pins = [one for line in lines if _is_exact(line.specifiers) and (one := _pinned(line, catalog))]
    strong = [*pins, *(one for line in lines if (one := _bounded(line, catalog, from_above=True)))]
    weak = [one for line in lines if not _is_exact(line.specifiers) and (one := _bounded(line, catalog, from_above=False))]
    weak += _bounded_torch(torch, catalog) if torch is not None else []
    if strong:
        # what is pinned or bounded from above dates a project closely; a lower bound then only counts when it is later
        days = AFTER_A_LIST_DAYS if len(pins) >= _A_LIST else AFTER_A_PIN_DAYS
        last = max(one.day for one in strong)
        found = [_until(one, days) for one in (*strong, *(one for one in weak if one.day > last))]
        return max(found, key=lambda one: one.until)
    if not weak:
        return None
    named = [one for line in lines if not line.specifiers and (one := _first(line, catalog))]
    latest = max((*weak, *named), key=lambda one: (one.until, one.day))
    return Dated(text=latest.text, where=latest.where, day=latest.day, until=latest.until, is_close=False)


def _until(one: Dated, days: int) -> Dated:
    return Dated(text=one.text, where=one.where, day=one.day, until=_later(one.day, days))


def _is_exact(specifiers: SpecifierSet) -> bool:
    return any(one.operator in ("==", "===", "~=") for one in specifiers)


def _pinned(line: Asked, catalog: Catalog) -> Dated | None:
    ages = catalog.ages(line.name, line.specifiers)
    return _dated(line, min(age.released for age in ages), AFTER_A_PIN_DAYS) if ages else None


def _bounded(line: Asked, catalog: Catalog, *, from_above: bool) -> Dated | None:
    """The day of the latest version that a bound names."""
    days = {age.version: age.released for age in catalog.ages(line.name, SpecifierSet(""))}
    spoken = [
        day
        for specifier in line.specifiers
        if (specifier.operator in ("<", "<=", "!=")) == from_above and (day := _day_of(specifier, days))
    ]
    return _dated(line, max(spoken), AFTER_A_PIN_DAYS if from_above else AFTER_A_BOUND_DAYS) if spoken else None


def _first(line: Asked, catalog: Catalog) -> Dated | None:
    ages = catalog.ages(line.name, SpecifierSet(""))
    return _dated(line, min(age.released for age in ages), AFTER_A_BOUND_DAYS) if ages else None


def _dated(line: Asked, day: str, days: int) -> Dated:
    return Dated(text=line.text, where=line.where, day=day, until=_later(day, days))


def _day_of(specifier: Specifier, days: dict[Version, str]) -> str | None:
    """The day on which the version that a bound names came out, or the next one after it."""
    try:
        version = Version(specifier.version.removesuffix(".*"))
    except InvalidVersion:
        return None
    if specifier.operator in ("<", "<=") and version.release[1:] in ((), (0,), (0, 0)):
        return None  # <2 is written long before there is a 2
    later = [known for known in days if known >= version]
    return days[min(later)] if later else None


def _bounded_torch(torch: Located[VersionRequest], catalog: Catalog) -> list[Dated]:
    found = []
    for specifier in torch.value.specifiers:
        version = Version(specifier.version.removesuffix(".*"))
        later = [release for release in catalog.releases if release.version >= version]
        if later and specifier.operator in (">=", ">", "!="):
            day = later[-1].released
            until = _later(day, AFTER_A_BOUND_DAYS)
            found.append(Dated(text=f"torch {torch.value}", where=torch.where, day=day, until=until))
    return found


def _later(day: str, days: int) -> str:
    return (datetime.date.fromisoformat(day) + datetime.timedelta(days=days)).isoformat()


def earlier(day: str, days: int) -> str:
    """The day that many days before."""
    return (datetime.date.fromisoformat(day) - datetime.timedelta(days=days)).isoformat()


@frozen
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


def frozen_for(pythons: Iterable[str], project: Project, catalog: Catalog, day: str) -> tuple[str, Asked] | None:
    """The Python that a frozen list was made under, with the pin that tells; None when it does not tell.

    A pin tells when later releases were there on that day and none of them serves its newest Python any more... that is, when
    it is the last release for an old Python. Several must agree.
    """
    votes: dict[str, list[Asked]] = {}
    candidates = list(pythons)
    for line in asked(project):
        pinned = catalog.ages(line.name, line.specifiers) if _is_exact(line.specifiers) else ()
        if len(pinned) != 1:
            continue
        later = [
            age for age in catalog.ages(line.name, SpecifierSet(f">{pinned[0].version}")) if age.released < earlier(day, 120)
        ]
        for python in candidates:
            if later and pinned[0].serves(python) and not any(age.serves(python) for age in later):
                votes.setdefault(python, []).append(line)
    # a release that is the last for 3.6 is the last for 3.7 only when 3.7 was dropped with it: the newest such counts
    told = {python: lines for python, lines in votes.items() if len(lines) >= 2}
    if not told:
        return None
    python = max(told, key=lambda one: (len(told[one]), Version(one)))
    return python, told[python][0]
