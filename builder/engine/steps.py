"""Where in a Dockerfile a step comes from: the line behind "[torch 2/13] RUN …" in an event or an error.

BuildKit and Podman number the steps inside a stage, dockerd's classic builder those of the whole file; BuildKit counts only
instructions that make a layer, the others count all. The total beside the number says which of them it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_PLACE: Final = re.compile(r"\[(?:\S+/\S+ )?(?:(?P<stage>\S+) )?\s*(?P<number>\d+)/(?P<total>\d+)\] (?P<keyword>[A-Za-z]+)")
_HEREDOC: Final = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")
_LAYERS: Final = frozenset(("FROM", "RUN", "COPY", "ADD", "WORKDIR"))


@dataclass(frozen=True, slots=True)
class Instruction:
    """line counts from 1. stage: its name, or stage-0, stage-1, … as BuildKit calls those without one."""

    line: int
    keyword: str
    stage: str


def line_of(dockerfile: str, step_name: str) -> int | None:
    """The line on which this step's instruction begins; None for the builder's own steps and for names not understood."""
    place = _PLACE.match(step_name)
    if place is None:
        return None
    found = instructions(dockerfile)
    stages = [one.stage for one in found if one.keyword == "FROM"]
    stage = place["stage"] or (stages[0] if len(set(stages)) == 1 else None)
    inside = [one for one in found if stage in (None, one.stage)]
    layers = [one for one in inside if one.keyword in _LAYERS]
    # a stage that stands on another stage of the file has no FROM of its own for BuildKit
    for counted in (layers, [one for one in layers if one.keyword != "FROM"], inside, found):
        number = int(place["number"])
        if len(counted) == int(place["total"]) and counted[number - 1].keyword == place["keyword"].upper():
            return counted[number - 1].line
    return None


def instructions(dockerfile: str) -> list[Instruction]:
    """All instructions, first to last; comments, continued lines and heredocs taken into account."""
    found: list[Instruction] = []
    stage, count = "", 0
    lines = iter(enumerate(dockerfile.splitlines(), start=1))
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        while text.endswith("\\"):
            _, more = next(lines, (0, "end"))
            more = more.strip()
            if more and not more.startswith("#"):  # comments and empty lines do not end a continued one
                text = text[:-1] + more
        for end in _HEREDOC.findall(text):
            while next(lines, (0, end))[1].strip() != end:
                pass
        keyword = text.split(None, 1)[0].upper()
        if keyword == "FROM":
            named = re.search(r"\sAS\s+(\S+)\s*$", text, re.IGNORECASE)
            stage, count = named[1].lower() if named else f"stage-{count}", count + 1
        elif keyword == "ARG" and not stage:
            continue  # before the first FROM: no builder counts it
        found.append(Instruction(number, keyword, stage))
    return found
