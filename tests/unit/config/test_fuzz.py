"""The reader may refuse anything and may fall over nothing.

A few thousand cases run each time. WSB_FUZZ_CASES=100000 runs as many as one likes.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.config import read_spec
from builder.errors import Problems
from builder.model.values import Location
from tests.unit.config.reading import FULL

CASES = int(os.environ.get("WSB_FUZZ_CASES", "3000"))

PIECES = [
    *"[]{}:,-?&*!|>'\"%@`#~\\ \t\n\r\0é😀",
    "\u2028",
    "\ud800",
    "\ufeff",
    ": ",
    "- ",
    "<<: ",
    "---\n",
    "...\n",
    "null",
    "true",
    "2.10",
    "1e309",
    "9" * 5000,
    "a" * 5000,
    "../" * 50,
    "&a *a",
    "!!python/object/apply:os.system [id]",
    "$(id)",
    "{{7*7}}",
    "[" * 50,
    "torch",
    "name: ",
    "run: {env: {",
    "packages:\n  pip:\n    - ",
]


def mutated(text: str, chance: random.Random) -> str:
    """The text with one to six small accidents."""
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 1, 3, 20]))
        match chance.randrange(5):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + chance.choice(PIECES) + text[start:]
            case 2:
                text = text[:start] + chance.choice(PIECES) + text[end:]
            case 3:
                text = text[:start] + text[start:end] * chance.choice([2, 5]) + text[end:]
            case 4:
                lines = text.splitlines(keepends=True)
                chance.shuffle(lines)
                text = "".join(lines)
    return text


def read_or_refuse(content: str | bytes) -> None:
    """Reads; anything but Problems whose errors have places fails the test."""
    try:
        read_spec(content, "wsb.yaml")
    except Problems as problems:
        for error in problems.errors:
            assert error.code in ("bad-yaml", "bad-value", "unknown-key", "duplicate-key", "missing-key")
            assert error.where is None or isinstance(error.where, Location)
            assert len(error.message) < 1000
            assert all(len(hint) < 1000 for hint in error.hints)


@pytest.mark.parametrize("part", range(10))
def test_mutated_files_are_read_or_refused(part: int) -> None:
    for number in range(CASES // 10):
        chance = random.Random(f"{part}-{number}")  # the same cases every time
        read_or_refuse(mutated(FULL, chance))


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refuse(text)


@settings(max_examples=300, deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refuse(content)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.sampled_from(["name", "python", "torch", "accelerator", "base", "sources", "environment"]))
def test_any_value_of_any_key_is_read_or_refused(value: str, key: str) -> None:
    quoted = value.replace("'", "''")
    read_or_refuse(f"name: x\n{key}: '{quoted}'\n")
