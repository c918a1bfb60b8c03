"""requirements*.txt → items, as pip would understand the file, never fetching or running anything.

pip's options become items of their own; those that only steer pip itself are left out with a note. `conda list --export`
writes a file of the same name, and that is recognised too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from builder.config.suggest import shown
from builder.errors import WsbError
from builder.model.values import Located, Location
from builder.scan.conda_list import is_conda_list, read_conda_list
from builder.scan.items import IncludeItem, IndexItem, Item, NoteItem
from builder.scan.logical_lines import logical_lines
from builder.scan.pip_line import read_pip_requirement, wrong_address

MAX_LINES = 5000  # requirements in one file
MAX_LINE = 32 << 10  # characters of one line with all its options

_SHORT = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable", "-i": "--index-url", "-f": "--find-links"}
_WITH_VALUE = frozenset(
    [
        *_SHORT.values(),
        "--extra-index-url",
        "--pypi-url",
        "--no-binary",
        "--only-binary",
        "--trusted-host",
        "--use-feature",
        "--hash",
        "--global-option",
        "--install-option",
        "--config-settings",
        "--config-setting",
        "--index",
        "--default-index",
        "--index-strategy",
    ]
)
# Options that say how pip shall work, not what the project needs.
_SILENT = frozenset({"--hash", "--trusted-host", "--prefer-binary", "--require-hashes", "--use-feature", "--index-strategy"})


def read_requirements(text: str, file: str) -> tuple[Item, ...]:
    """The items of a requirements file, in its order."""
    if is_conda_list(text):
        return read_conda_list(text, file)
    items: list[Item] = []
    for number, line in enumerate(logical_lines(text, file)):
        if number >= MAX_LINES:
            items.append(WsbError("bad-value", f"{file} has more than {MAX_LINES} requirements", line.where))
            break
        items.extend(read_requirement_line(line))
    hashed = text.count("--hash")
    if hashed:
        items.append(NoteItem(text=f"{hashed} hashes are not checked; `wsb lock` records its own", where=Location(file=file)))
    return tuple(items)


def read_requirement_line(line: Located[str]) -> tuple[Item, ...]:
    """The items of one logical line: a requirement with its options, or options alone."""
    text, where = line.value, line.where
    if len(text) > MAX_LINE:
        message = f"this line has {len(text):,} characters; at most {MAX_LINE:,} are read"
        return (WsbError("bad-value", message, where, hints=("write one requirement a line",)),)
    if "\ufffd" in text or re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text):
        return (WsbError("bad-value", f"{shown(text)} is not text that pip can read", where, hints=("save it as UTF-8",)),)
    installs = re.fullmatch(r"!?\s*(?:python3? -m )?pip3? install\s+(.+)", text)
    if installs:
        note = NoteItem(text="this is a command line; its packages are taken", where=where)
        return (note, *read_command(installs[1], where))
    if text.startswith("-"):
        return tuple(read_command(text, where))
    requirement, options = _split_options(text)
    return (*read_pip_requirement(requirement, where), *(_options(options, where) if options else ()))


def _split_options(text: str) -> tuple[str, str]:
    """The requirement and the options after it. Only a word of its own that begins with a dash begins an option."""
    found = re.search(r"\s-{1,2}[a-zA-Z]", text)
    return (text[: found.start()].strip(), text[found.start() :].strip()) if found else (text, "")


def read_command(text: str, where: Location) -> Iterator[Item]:
    """Options, and requirements among them as on a command line."""
    for word in _options(text, where, words_too=True):
        if isinstance(word, str):
            yield from read_pip_requirement(word, where)
        else:
            yield word


def _options(text: str, where: Location, *, words_too: bool = False) -> Iterator[Item]:
    words = _words(text)
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not word.startswith("-"):
            if words_too:
                yield from read_pip_requirement(word, where)
            continue
        name, value, has_value = _option(word)
        if name in _WITH_VALUE and not has_value:
            if place == len(words):
                yield WsbError("bad-value", f"{name} has no value", where)
                return
            value = words[place]
            place += 1
        yield from _meaning(name, value, where)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed
        return text.split()


def _option(word: str) -> tuple[str, str, bool]:
    """Its long name, its value, and whether the value stands in the same word (--index-url=…, -rfile, -e.)."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value, bool(equals)
    name = _SHORT.get(word[:2], word[:2])
    return name, word[2:].removeprefix("="), len(word) > 2 and name in _WITH_VALUE


def _meaning(name: str, value: str, where: Location) -> Iterator[Item]:
    match name:
        case "--requirement" | "--constraint":
            yield IncludeItem(path=value, where=where, is_constraint=name == "--constraint")
        case "--editable":
            yield from read_pip_requirement(value, where, is_editable=True)
        case "--index-url" | "--extra-index-url" | "--pypi-url" | "--index" | "--default-index":
            yield wrong_address(value, where) or IndexItem(url=value, where=where)
        case "--find-links":
            is_folder = re.fullmatch(r"(\./)?[A-Za-z0-9._+@-]+(/[A-Za-z0-9._+@-]+)*/?", value) and ".." not in value.split("/")
            wrong = None if is_folder else wrong_address(value, where)
            yield wrong or IndexItem(url=value, where=where, is_find_links=True)
        case _ if name not in _SILENT:
            yield NoteItem(text=f"the option {shown(f'{name} {value}'.strip())} is not taken over", where=where)
