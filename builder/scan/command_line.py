"""One shell command → what it installs, as items. For READMEs, Dockerfiles, scripts and notebooks; nothing is run.

Understood are pip, uv pip, conda, mamba, poetry add and apt-get in the forms people write them; anything else is nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from builder.model.values import Location
from builder.scan.items import AptItem, ChannelItem, CondaItem, IncludeItem, Item, NoteItem
from builder.scan.match_spec import read_match_spec
from builder.scan.requirements import read_command

MAX_LENGTH = 8192  # characters of one command
MAX_COMMANDS = 400
MAX_LINES = 5000

_PIP = re.compile(r"(?:\S*python[0-9.]*\s+-m\s+|uv\s+|conda\s+run\s+(?:-n\s+\S+\s+)?)*\S*pip[0-9.]*\s+install\s+(?P<rest>.+)")
_CONDA = re.compile(r"(?:\S*/)?(conda|mamba|micromamba)\s+(?P<verb>install|create|env\s+create|env\s+update)\s+(?P<rest>.+)")
_APT = re.compile(r"(apt|apt-get)\s+(?:-\S+\s+)*install\s+(?P<rest>.+)")
_CONDA_VALUES = frozenset({"-n", "--name", "-p", "--prefix", "--solver", "--channel-priority"})
_APT_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")


def read_script(text: str, where: Location) -> tuple[Item, ...]:
    """The items of several commands, one a line or joined by &&, ; and |."""
    return tuple(item for command in commands(text) for item in read_shell_command(command, where))


def commands(text: str) -> Iterator[str]:
    """Commands of a script, continuations joined, prompts and sudo gone."""
    joined = re.sub(r"\\\s*\n", " ", text)
    number = 0
    for line in joined.splitlines()[:MAX_LINES]:
        line = re.sub(r"(^|\s)#.*$", "", line)
        for part in re.split(r"&&|\|\||;(?!\s*(?:python_version|sys_platform|platform))|\||\bthen\b|\bdo\b", line[:MAX_LENGTH]):
            command = re.sub(
                r"^\s*(?:[$>%!]\s*|\(\w+\)\s*\$?\s*|sudo\s+|RUN\s+|-\s+run:\s*|env\s+|[A-Z_]+=\S*\s+)*", "", part
            ).strip()
            if command:
                number += 1
                if number > MAX_COMMANDS:
                    return
                yield command


def read_shell_command(command: str, where: Location) -> tuple[Item, ...]:
    """The items of one command; () for one that installs nothing, or whose parts are variables."""
    command = command.strip().rstrip("`'\")")
    if len(command) > MAX_LENGTH:
        return ()
    if found := _PIP.match(command):
        return tuple(_known_only(read_command(found["rest"], where)))
    if found := _CONDA.match(command):
        return tuple(_conda(found["rest"], where, is_environment=found["verb"].startswith("env")))
    if found := _APT.match(command):
        return tuple(AptItem(name=word, where=where) for word in _words(found["rest"]) if _APT_NAME.fullmatch(word))
    return ()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _known_only(items: Iterator[Item]) -> Iterator[Item]:
    """Without what only the shell would know, and without notes and errors: prose is no requirements file."""
    for item in items:
        text = getattr(item, "text", "") or getattr(item, "url", "") or getattr(item, "path", "")
        if not isinstance(item, NoteItem | Exception) and "$" not in text and "<" not in text[:1] and "{" not in text:
            yield item


def _conda(rest: str, where: Location, *, is_environment: bool) -> Iterator[Item]:
    words = _words(rest)
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        name, equals, value = word.partition("=")
        if word in ("-c", "--channel", "-f", "--file") or word in _CONDA_VALUES:
            value = words[place] if place < len(words) else ""
            place += 1
        elif not (word.startswith("--") and equals):
            if not word.startswith("-") and not is_environment:
                yield from _spec(word, where)
            continue
        if name in ("-c", "--channel") and value:
            yield ChannelItem(channel=value, where=where)
        elif name in ("-f", "--file") and value:
            yield IncludeItem(path=value, where=where)


def _spec(word: str, where: Location) -> Iterator[Item]:
    item = read_match_spec(word, where)
    if isinstance(item, CondaItem) and "$" not in word and len(item.name) > 1:
        yield item
