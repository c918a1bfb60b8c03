"""What the environment stands on: the manager, and which base, as far as it narrows the choice of Python.

The base itself is chosen after torch (`base.py`), because only then it is known whether something must be compiled.
"""

from __future__ import annotations

import re

from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.values import Location, Manager
from builder.resolve.given import Given, listed
from builder.resolve.notes import Notes, rejected
from builder.resolve.wants import Wants, manager_of

BOOTSTRAPPED = "wsb/base"


@frozen
class Ground:
    """manager: what makes the environment. kind, value: the base that is asked for, or fallen back to.

    pythons: the only Pythons there are on this base; None when any can be had. because: why these.
    glibc: the C library of the base, None when it does not matter or nobody can tell. stands_on: what it is the one of.
    """

    manager: Manager
    kind: str
    value: str
    where: Location | None
    pythons: tuple[str, ...] | None = None
    because: str = ""
    glibc: str | None = None
    stands_on: str = ""


def choose_ground(given: Given, wants: Wants, notes: Notes, compilers: tuple[str, ...] | None = None) -> Ground:
    """Manager and kind of base, with the fallbacks that a source out of reach asks for.

    compilers: the Pythons of the compiler images that a venv has to stand on; None while nothing says that it must.
    """
    manager = _manager(given, notes)
    kind, value, where = _base_asked(given, notes)
    glibc, stands_on = _glibc(given, wants, manager, kind, value, where)
    pythons, because = (None, "") if manager.is_conda else _own_pythons(given, kind, value, where)
    if compilers is not None and not manager.is_conda:
        pythons, because = compilers, "something must be compiled, and NVIDIA's compiler images have Ubuntu's own Python"
    return Ground(
        manager=manager,
        kind=kind,
        value=value,
        where=where,
        pythons=pythons,
        because=because,
        glibc=glibc,
        stands_on=stands_on,
    )


def _glibc(
    given: Given, wants: Wants, manager: Manager, kind: str, value: str, where: Location | None
) -> tuple[str | None, str]:
    """The C library that torch would run on, where the base tells. Raises WsbError glibc-too-old for a base without one."""
    if kind == "auto":
        return None, ""
    found = given.catalog.suite(value) if kind == "bootstrap" else given.catalog.distribution_of(value)
    if found is not None:
        return found.glibc, value if value in found.title else f"{value} ({found.title})"
    if given.catalog.is_without_glibc(value) and (wants.has_torch or manager.is_conda):
        raise WsbError(
            "glibc-too-old",
            f"{value} has musl for a C library; torch, conda and their packages need glibc",
            where,
            hints=(f"take {given.catalog.default_base}, which is small too",),
        )
    return None, ""


def _manager(given: Given, notes: Notes) -> Manager:
    asked = manager_of(given)
    because = f"wsb.yaml asks for it ({given.spec.manager.where})" if given.spec.manager else "the default"
    if asked.is_conda:
        needed = ("conda", "miniconda") if asked is Manager.MINICONDA else ("conda",)
        for source in needed:
            reason = given.why_not(source)
            if reason is not None:
                notes.fall_back(source, asked.value, Manager.VENV.value, reason)
                notes.decide(
                    "manager",
                    "venv",
                    "the base's own Python needs nothing from Anaconda's servers",
                    [rejected(asked.value, f"{source} cannot be reached: {reason}")],
                )
                return Manager.VENV
    notes.decide("manager", asked.value, because)
    return asked


def _base_asked(given: Given, notes: Notes) -> tuple[str, str, Location | None]:
    asked = given.spec.base
    kind = asked.value.kind if asked else "auto"
    value = asked.value.value if asked else ""
    where = asked.where if asked else None
    reason = given.why_not("registry")
    if kind == "bootstrap":
        _known_suite(given, value, where)
        return kind, value, where
    if reason is None or given.reach is None:
        return kind, value, where
    wanted = value or given.catalog.default_base
    if wanted in given.reach.local_images:
        return kind, value, where
    suite = "bookworm"
    local = f"{BOOTSTRAPPED}:{suite}" in given.reach.local_images
    if not given.reach.can_bootstrap and not local:
        raise WsbError(
            "base-unreachable",
            f"the base image {wanted} cannot be pulled: {reason}",
            where or given.spec.where,
            hints=(
                "no copy of it is held here, and no base can be made (that needs mmdebstrap and a Debian mirror)",
                "pull or load the image once where the registry can be reached, or set `sources: {registry: …}` to a mirror",
            ),
        )
    notes.fall_back("registry", wanted, f"{BOOTSTRAPPED}:{suite}", reason)
    notes.decide(
        "base.image",
        f"{BOOTSTRAPPED}:{suite}",
        "made from Debian's own packages, without a registry",
        [rejected(wanted, f"the registry cannot be reached: {reason}")],
    )
    return "bootstrap", suite, where


def _known_suite(given: Given, suite: str, where: Location | None) -> None:
    if given.catalog.suite(suite) is None:
        known = listed((row.codename for row in given.catalog.distributions if row.codename), "or")
        raise WsbError("bad-value", f"{suite!r} is not a suite that a base can be made from", where, hints=(f"use {known}",))


def _own_pythons(given: Given, kind: str, value: str, where: Location | None) -> tuple[tuple[str, ...] | None, str]:
    """The Pythons that a venv can be made with on this base."""
    if kind == "bootstrap":
        found = given.catalog.suite(value)
        own = found.python if found else None
        return ((own,) if own else None), f"{value}'s own Python is {own}, and a venv uses the base's own"
    if kind == "image":
        return _of_image(given, value, where)
    return None, ""


def _of_image(given: Given, image: str, where: Location | None) -> tuple[tuple[str, ...] | None, str]:
    tagged = re.search(r"(?:^|/)python:(\d+\.\d+)", image)
    if tagged:
        return (tagged[1],), f"{image} has Python {tagged[1]}, and a venv uses the base's own"
    found = given.catalog.distribution_of(image)
    if found is None:
        return None, ""
    if found.python is None:
        raise WsbError(
            "python-not-supported",
            f"{image} has no Python of its own that a venv could use",
            where,
            hints=("set `manager: miniconda`, which brings its own Python", "or take a base such as python:3.11-slim-bookworm"),
        )
    return (found.python,), f"{image} is {found.title}, whose own Python is {found.python}, and a venv uses the base's own"
