"""Text in a terminal's columns."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.ui.text import as_bytes, as_seconds, fit, plain, width


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("\x1b[32mgreen\x1b[0m", "green"),
        ("\x1b[2K\x1b[1Gline", "line"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (" 10%\r 50%\r100%", "100%"),
        ("done\r\n", "done"),
        ("a\tb", "a       b"),
        ("a\x00\x07\x08b", "ab"),
        ("cut off\x1b", "cut off"),
        ("\u202eevil", "evil"),
        ("日本語", "日本語"),
    ],
)
def test_what_programs_print_is_made_harmless(printed: str, shown: str) -> None:
    assert plain(printed) == shown


@given(st.text(max_size=40))
@settings(deadline=None)
def test_nothing_that_is_shown_can_move_the_cursor(text: str) -> None:
    assert not any(unicodedata.category(char) == "Cc" for char in plain(text))


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("📦", 2), ("", 0)])
def test_wide_letters_take_two_columns_and_accents_none(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("a b c", 3, "a…"),
        ("ab", 0, ""),
    ],
)
def test_text_is_cut_with_an_ellipsis(text: str, columns: int, shown: str) -> None:
    assert fit(text, columns) == shown


@given(st.text(max_size=40), st.integers(0, 30))
@settings(deadline=None)
def test_cut_text_always_fits(text: str, columns: int) -> None:
    assert width(fit(plain(text), columns)) <= columns


@pytest.mark.parametrize(
    ("current", "total", "shown"),
    [
        (123_000_000, 192_000_000, "123/192 MB"),
        (1_500_000, 2_500_000, "1.5/2.5 MB"),
        (17, 0, "17 B"),
        (17_000, 0, "17 kB"),
        (0, 2_500_000_000, "0.0/2.5 GB"),
        (0, 0, "0 B"),
    ],
)
def test_amounts(current: int, total: int, shown: str) -> None:
    assert as_bytes(current, total) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.04, "0.0s"), (9.94, "9.9s"), (12.9, "12s"), (185, "3m 05s"), (3725, "1h 02m")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert as_seconds(seconds) == shown
