"""What an error advises is done, and must lead to a plan: a hint that runs into the next error is worse than none."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from builder.errors import WsbError
from builder.model.host import Host
from builder.resolve import resolve
from tests.support.specs import host, project, spec
from tests.unit.resolve.test_choice import CATALOG
from tests.unit.resolve.test_second_opinion import CARDS, DRIVERS, JETSON, RELEASES

_STEP = re.compile(r"`(torch|python|accelerator): \"?([^\"`]+)\"?`")


def refused(asked: dict[str, Any], there: Host) -> WsbError | None:
    try:
        resolve(spec(**asked), project(), CATALOG, there)
    except WsbError as error:
        return error
    return None


def steps(hint: str) -> dict[str, str]:
    """What a hint tells to write into wsb.yaml; nothing for one that tells something else."""
    return {key: value for key, value in _STEP.findall(hint) if value not in ("auto", "cuda")}


def questions(seed: str, count: int) -> list[tuple[dict[str, Any], Host]]:
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        asked: dict[str, Any] = {"torch": rng.choice([*RELEASES])}
        if rng.random() < 0.4:
            asked["python"] = rng.choice(["3.6", "3.8", "3.10", "3.12", "3.14"])
        if rng.random() < 0.2:
            asked["accelerator"] = rng.choice(["cu118", "cu121", "cu126", "cu128", "cu130"])
        arch = "aarch64" if rng.random() < 0.15 else "x86_64"
        card = rng.choice([*CARDS, *JETSON])
        there = host((f"card of {card}", card), driver=rng.choice(DRIVERS), os=rng.choice(["linux", "windows"]), arch=arch)
        found.append((asked, there))
    return found


@pytest.mark.parametrize("seed", ["one", "two", "three"])
def test_what_an_error_advises_leads_to_a_plan(seed: str) -> None:
    followed = 0
    for asked, there in questions(seed, 32):
        error = refused(asked, there)
        for hint in error.hints if error else ():
            if advised := steps(hint):
                left_out = {"accelerator"} if "leave" in hint and "out, or set" in hint else set()
                for changed in ({**asked, **advised}, {k: v for k, v in {**asked, **advised}.items() if k not in left_out}):
                    again = refused(changed, there)
                    assert again is None, (asked, there, hint, changed, str(again))
                followed += 1
    assert followed > 12
