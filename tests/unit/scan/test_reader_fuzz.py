"""Every reader of other people's files on mutated inputs, a few hundred each time; tests/support/fuzz_readers.py runs more."""

from __future__ import annotations

import os

import pytest

from tests.support.fuzz_readers import READERS, SEEDS, fuzz, watched

CASES = int(os.environ.get("WSB_FUZZ_CASES", "3000")) // 10


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_takes_whatever_it_is_given(reader: str) -> None:
    assert fuzz(reader, CASES).failures == ()


@pytest.mark.parametrize("reader", READERS)
def test_a_large_input_takes_a_time_in_proportion(reader: str) -> None:
    # what took the square of its length would not come back from this
    for piece in (*SEEDS[reader], "a==1 ", "[", " ", "\n", "1.", "pip install ", "- ", "'", "\\\n"):
        READERS[reader]((piece * (100_000 // len(piece)))[:100_000], reader)


def test_the_watch_sees_what_is_run_and_opened() -> None:
    with watched() as seen:
        exec("x = 1")
        with open(os.devnull):  # noqa: PTH123
            pass
    assert [event.split()[0] for event in seen] == ["exec", "open"]
