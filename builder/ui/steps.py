"""A step's name as the engine words it, made short: what runs, without the mounts and preparations around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# a place in brackets, which is a stage and a number with a platform before them, or the word internal
_NAME: Final = re.compile(r"\[(?P<place>[^\]]*)\] (?P<text>.*)", re.DOTALL)
_INTERNAL: Final = ("copy /context /", "exporting ", "resolve image config", "importing cache", "naming to", "[auth]")
_FLAGS: Final = re.compile(r"(?:--[a-z-]+(?:=(?:\"[^\"]*\"|\S+))?\s+)+")
_HEREDOC: Final = re.compile(r"<<-?\s*[\"']?\w+[\"']?\s*\(?")
# what a command begins with and is not about
_PREPARATION: Final = re.compile(
    r"(?:set|export|cd|umask|\.|source|:|unset|shopt|mkdir|install -d|rm|find|apt-get (?:-\S+ )*update|echo|printf|test|\[)\b"
    r"|/bin/sh /run/wsb/uv/get-uv\b"
    r"|[.:\[] |[A-Za-z_]\w*=\S*$"
)
_ASSIGNMENTS: Final = re.compile(r"(?:[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|\S*)\s+)+(?=\S)")
_SEPARATOR: Final = re.compile(r"\s*(?:&&|\|\||;|\n)\s*")


@dataclass(frozen=True, slots=True)
class Label:
    """place: the stage and which of its steps, such as "torch 2/13". is_internal: the builder's own, no line of the file."""

    place: str
    text: str
    is_internal: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


def label(name: str) -> Label:
    """From "[torch 2/3] RUN --mount=type=cache,target=/x set -e && uv pip install a" to "torch 2/3: uv pip install a"."""
    found = _NAME.match(name.strip())
    if found is None or found["place"] == "internal":
        text = found["text"] if found else name
        return Label("", _one_line(text), is_internal=bool(found) or name.startswith(_INTERNAL))
    place = " ".join(word for word in found["place"].split() if not word.startswith("linux/"))
    instruction, _, rest = found["text"].strip().partition(" ")
    rest = _FLAGS.sub("", rest.lstrip() + " ", count=1).strip() if rest.lstrip().startswith("--") else rest.strip()
    if instruction.upper() != "RUN":
        return Label(place, _one_line(f"{instruction} {rest}"), is_internal=False)
    return Label(place, _essence(rest), is_internal=False)


def _essence(command: str) -> str:
    """The first part of a shell line that is about something; the whole line when none is."""
    command = _HEREDOC.sub("", command).replace("\\\n", " ")
    parts = [_ASSIGNMENTS.sub("", part, count=1) for part in _SEPARATOR.split(command) if part.strip(" ()")]
    chosen = next((part for part in parts if not _PREPARATION.match(part)), command)
    return _one_line(chosen)


def _one_line(text: str) -> str:
    return " ".join(text.split())
