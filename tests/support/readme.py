"""The console blocks of the READMEs: what a reader is told to type."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = tuple(sorted(ROOT.glob("README*.md")))
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(readme: Path) -> tuple[str, ...]:
    """Every line after a `$ ` of a console block, in order, without its comment; a trailing backslash goes on."""
    found = []
    for block in _BLOCK.findall(readme.read_text("utf-8")):
        lines = block.replace("\\\n", " ").splitlines()
        found += [line[2:].strip() for line in lines if line.startswith("$ ")]
    return tuple(found)


def words(command: str) -> list[str]:
    return shlex.split(command, comments=True)


def every_command() -> tuple[str, ...]:
    return tuple(dict.fromkeys(command for readme in READMES for command in commands(readme)))
