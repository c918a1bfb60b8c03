"""Pins of the project that cannot hold beside this Python, each with the nearest that can. The table of ages knows the
common packages; what is not in it is left to the installer.
"""

from __future__ import annotations

import re

from packaging.specifiers import SpecifierSet

from builder.catalog.ages import Age
from builder.resolve.given import Given
from builder.resolve.notes import Notes
from builder.resolve.wants import Wants


def check_pins(given: Given, wants: Wants, python: str, notes: Notes) -> None:
    """A warning for each pinned package that has no wheel for the plan's Python."""
    for line, written in wants.pip:
        request = line.request
        if not line.name or request is None or not request.is_pinned:
            continue
        pinned = given.catalog.ages(line.name, request.specifiers)
        if not pinned or any(age.serves(python) for age in pinned):
            continue
        serving = [age for age in given.catalog.ages(line.name, SpecifierSet("")) if age.serves(python)]
        nearest = _nearest(pinned[0], serving)
        can = f"the nearest that has one is {nearest.version}" if nearest else "no release of it has one"
        notes.warn("pin-cannot-hold", f"{line.text} ({written.where}) has no wheel for Python {python}; {can}")


def _nearest(pinned: Age, serving: list[Age]) -> Age | None:
    """The next release after it, else the last one before."""
    later = [age for age in serving if age.version > pinned.version]
    if later:
        return min(later, key=lambda age: age.version)
    return max(serving, key=lambda age: age.version, default=None)


def without_build(spec: str) -> str:
    """A conda spec without its build string: numpy=1.21.2=py38hd8d4704_0 becomes numpy=1.21.2."""
    return re.sub(r"^(\S*?[\w.-]+(?:={1,2}|\s+)[^=<>!~\s,]+)(?:=|\s+)[^=<>!~,\s]+$", r"\1", spec.strip())
