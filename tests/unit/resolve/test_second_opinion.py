"""The same question answered twice: by wsb, and by twenty lines that read the tables and know nothing of how wsb decides.

The rule (DESIGN, section 4): of the advertised builds keep those whose driver floor is met and that hold code for the card;
take what the default index serves if it is among them, else the highest CUDA.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from builder import assets
from builder.errors import WsbError
from builder.model.host import Gpu, Host
from builder.model.project import EMPTY_PROJECT
from builder.model.values import ComputeCapability, DriverVersion
from builder.resolve import resolve
from tests.support.specs import spec
from tests.unit.resolve.test_choice import CATALOG

TORCH, CODE, CUDA = (json.loads(assets.table(f"{name}.json")) for name in ("torch", "machine_code", "cuda"))
RELEASES = {row["torch"]: row for row in TORCH["rows"] if "linux_x86_64" in row["default"]}
FLOORS = {row["variant"]: row for row in CUDA["floors"]}
CARDS = ["3.5", "3.7", "5.0", "5.2", "6.0", "6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "10.3", "12.0", "12.1"]
JETSON = ["5.3", "6.2", "7.2", "8.7"]
DRIVERS = [
    *("375.26", "384.81", "396.37", "410.48", "418.39", "418.38", "440.33", "450.36.06", "450.80.01", "450.80.02", "470.82.01"),
    *("525.60.11", "525.60.13", "528.32", "528.33", "535.104.05", "550.54.15", "570.26", "575.57.08", "579.99", "580", "615"),
]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def has_code(version: str, variant: str, card: str) -> bool:
    """Code that runs as it is; PTX is there for cards later than all of these."""
    cuda = (int(variant[2:-1]), int(variant[-1]))
    major, minor = numbers(card)
    for row in CODE["rows"]:
        if (row["platform"], row["variant"]) != ("linux_x86_64", variant):
            continue
        if not numbers(row["since"]) <= numbers(version) <= numbers(row["until"]):
            continue
        for code in row["sm"]:
            own = (code // 10, code % 10) == (major, minor)
            alone = card in JETSON and not (card in ("7.2", "8.7") and cuda >= (13, 2))
            if own or (not alone and code // 10 == major and code % 10 <= minor):
                return True
    return False


def opinion(version: str, os: str, card: str, driver: str) -> str:
    """The build, or which limit nothing gets past."""
    row = RELEASES[version]
    coded = [name for name in row["builds"]["linux_x86_64"] if name.startswith("cu") and has_code(version, name, card)]
    column = "windows" if os == "windows" else "linux"
    runs = [name for name in coded if numbers(driver) >= numbers(FLOORS[name][column])]
    if not runs:
        return "driver-too-old" if coded else "gpu-not-supported"
    default = row["default"]["linux_x86_64"]
    return default if default in runs and os == "linux" else max(runs, key=lambda name: int(name[2:]))


def answer(version: str, os: Any, card: str, driver: str) -> str:
    gpu = Gpu(name="a card", compute_capability=ComputeCapability.parse(card))
    there = Host(os=os, arch="x86_64", driver=DriverVersion.parse(driver), gpus=(gpu,))
    try:
        plan = resolve(spec(torch=version), EMPTY_PROJECT, CATALOG, there)
    except WsbError as error:
        return error.code
    assert plan.torch is not None
    return plan.torch.variant.name


@pytest.mark.parametrize("version", RELEASES)
def test_a_simpler_way_of_deciding_comes_to_the_same(version: str) -> None:
    rng = random.Random(version)  # the same questions each time, other ones for each release
    for _ in range(6):
        question = (rng.choice(["linux", "windows"]), rng.choice([*CARDS, *JETSON]), rng.choice(DRIVERS))
        assert answer(version, *question) == opinion(version, *question), question
