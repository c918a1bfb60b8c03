"""The last output of a command that failed → the one command that mends it, for what is missing or in a wrong version.

Beside the catalogue of known errors, which says what an error means: here it is turned into what to type, from the tables of
import names and libraries and from what the project itself has and declares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from builder.catalog.catalog import Catalog
from builder.catalog.imports import normal
from builder.model.frozen import frozen
from builder.model.values import Manager
from builder.packages.libraries import apt_package_of
from builder.packages.names import suggest
from builder.scan.standard_library import is_standard


@frozen
class Around:
    """What is known of the project. declared: normalised names it asks for. own_file: a top-level module → its file, or ""."""

    catalog: Catalog
    manager: Manager
    declared: frozenset[str] = frozenset()
    own_file: Callable[[str], str] = lambda _: ""


@frozen
class Mend:
    """command: to type, "" where no command mends it. because: one sentence."""

    command: str
    because: str


_Rule = Callable[[re.Match[str], Around], "Mend | None"]


def mend(text: str, around: Around) -> Mend | None:
    """What mends the failure a text ends with; None when that is of another kind. text: without colours.

    Only the last traceback counts, and those it says it followed from: what was warned of, or coped with, before is not
    what stopped the command.
    """
    before, *tracebacks = text.split(_TRACEBACK)
    if not tracebacks:
        return _last("\n".join(before.splitlines()[-_LINES:]), around)
    for number in range(len(tracebacks) - 1, -1, -1):
        found = _last(tracebacks[number], around)
        if found is not None:
            return found
        follows = number > 0 and any(phrase in tracebacks[number - 1] for phrase in _FOLLOWED)
        if not follows and not _ECHO.search(tracebacks[number]):
            break
    # said by a warning, long before the array that is then not there
    return _last(text, around, _OF_NUMPY) if _NO_NUMPY.search(tracebacks[-1]) else None


def _last(text: str, around: Around, rules: Sequence[tuple[re.Pattern[str], _Rule]] | None = None) -> Mend | None:
    """By the rule whose words stand last in a text."""
    best: tuple[int, re.Match[str], _Rule] | None = None
    for pattern, rule in _RULES if rules is None else rules:
        for found in pattern.finditer(text):
            if best is None or found.start() >= best[0]:
                best = (found.start(), found, rule)
    return best[2](best[1], around) if best is not None else None


_LINES = 40  # of an output without a traceback
_TRACEBACK = "Traceback (most recent call last)"
_FOLLOWED = ("During handling of the above exception", "The above exception was the direct cause")
_ECHO = re.compile(r"^\S*(ChildFailedError|CalledProcessError|ProcessRaisedException|ProcessExitedException)\b", re.MULTILINE)
_NO_NUMPY = re.compile(r"Numpy is not available|_ARRAY_API|numpy\.core\.multiarray failed to import", re.IGNORECASE)


# --- what is missing ---


def _module(found: re.Match[str], around: Around) -> Mend | None:
    name = found["module"]
    top = name.partition(".")[0]
    own = around.own_file(top)
    if own:
        return Mend(command="", because=f"{top} is the project's own {own}: start the command in the folder it lies in")
    if is_standard(top):
        return Mend(command="", because=f"{top} belongs to Python itself, of another version than the one that runs")
    known = {*around.catalog.providers(name), normal(top)} & around.declared
    row = around.catalog.import_name(name)
    # a dotted name is only missed by Python once its top was found
    if "." in name and known and (row is None or "." not in row["import"]):
        return Mend(command="", because=f"{top} is installed, in a release that has no {name}: the code wants another one")
    if known:
        return Mend(command="wsb build", because=f"{min(known)} is asked for, and the image was built without it")
    right = suggest(around.catalog, name if row is not None and "." in row["import"] else top)
    because = f"nothing in the image provides {top}" + (f"; {right.because}" if right.because else "")
    return Mend(command=right.command, because=because)


def _library(found: re.Match[str], around: Around) -> Mend | None:
    library = found["library"]
    package = apt_package_of(around.catalog, library)
    if package is None:
        return None
    together = next((group for group in _TOGETHER if package in group), (package,))
    return Mend(command=f"wsb add --apt {' '.join(together)}", because=f"{library} is a file of {package}")


# What one package looks for one after the other: named at once, so that one build is enough.
_TOGETHER = (("libgl1", "libglib2.0-0"), ("libsm6", "libxext6", "libxrender1"))


def _program(found: re.Match[str], _: Around) -> Mend | None:
    name = found["program"].rpartition("/")[2]
    package = _PROGRAMS.get(name)
    if package is None:
        return None
    return Mend(command=f"wsb add --apt {package}", because=f"the program {name} is not in the image")


_PROGRAMS = {
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "cmake": "cmake",
    "git-lfs": "git-lfs",
    "gcc": "build-essential",
    "g++": "build-essential",
    "cc": "build-essential",
    "c++": "build-essential",
    "x86_64-linux-gnu-gcc": "build-essential",
    "make": "build-essential",
    "ninja": "ninja-build",
    "wget": "wget",
    "unzip": "unzip",
    "sox": "sox",
    "espeak": "espeak",
    "espeak-ng": "espeak-ng",
    "java": "default-jre-headless",
    "dot": "graphviz",
    "pdftoppm": "poppler-utils",
    "tesseract": "tesseract-ocr",
    "Xvfb": "xvfb",
    "xvfb-run": "xvfb",
    "tmux": "tmux",
    "vim": "vim",
    "nano": "nano",
}


# --- versions that disagree ---


def _requirement(found: re.Match[str], _: Around) -> Mend | None:
    wanted = re.sub(r"\s+", "", found["wanted"]).rstrip(".,;)")
    name = re.match(r"[A-Za-z0-9._-]+", wanted)
    if name is None or normal(name[0]) in ("torch", "python"):
        return None
    because = f"the code, or a package it uses, asks for {wanted}"
    return Mend(command=f'wsb add "{wanted}"', because=because)


def _numpy_2(_: re.Match[str], __: Around) -> Mend | None:
    return Mend(command='wsb add "numpy<2"', because="a package was compiled against NumPy 1")


def _numpy_alias(_: re.Match[str], __: Around) -> Mend | None:
    return Mend(command='wsb add "numpy<1.24"', because="the code uses names that NumPy 1.24 no longer has")


_MODULE = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_ASKED = rf"{_NAME}(?:\[[\w,-]+\])?\s*(?:[<>=!~]=?=?\s*[\w.*+!-]+,?\s*)+"

_OF_NUMPY: tuple[tuple[re.Pattern[str], _Rule], ...] = (
    (re.compile(r"compiled using NumPy 1\.x cannot be run in\s+NumPy 2"), _numpy_2),
)
_RULES: tuple[tuple[re.Pattern[str], _Rule], ...] = (
    (re.compile(rf"No module named '?(?P<module>{_MODULE})'?"), _module),
    (re.compile(r"(?P<library>lib[A-Za-z0-9_+.-]+?\.so(?:\.\d+)*): cannot open shared object file"), _library),
    (re.compile(rf"(?P<wanted>{_ASKED}) is required for a normal functioning of this module"), _requirement),
    (re.compile(rf"VersionConflict: .*Requirement\.parse\('(?P<wanted>{_ASKED})'\)"), _requirement),
    (re.compile(rf"DistributionNotFound: The '(?P<wanted>{_NAME}[^']*)' distribution was not found"), _requirement),
    (re.compile(rf"PackageNotFoundError: (?:No package metadata was found for )?(?P<wanted>{_NAME})\b"), _requirement),
    *_OF_NUMPY,
    (
        re.compile(r"module 'numpy' has no attribute '(?:float|int|bool|object|complex|str|long|unicode|typeDict)'"),
        _numpy_alias,
    ),
    (re.compile(r"(?:^|: )(?P<program>[\w./+-]+): (?:command )?not found", re.MULTILINE), _program),
    (re.compile(r"No such file or directory: '(?P<program>[\w+-]+)'"), _program),
    (re.compile(r'exec: "(?P<program>[^"]+)": executable file not found'), _program),
)
