"""The table of cards and drivers that the README shows is the one the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.catalog import load
from builder.ui.matrix import CARDS, DRIVERS, matrix_lines, picked

ROOT = Path(__file__).parents[3]


def test_the_table_is_the_one_that_was_reviewed() -> None:
    reviewed = (ROOT / "tests" / "data" / "matrix.md").read_text("utf-8")
    assert "\n".join(matrix_lines(load())) + "\n" == reviewed


def test_the_readme_shows_the_same_table() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert (ROOT / "tests" / "data" / "matrix.md").read_text("utf-8") in readme


def test_ten_cards_on_five_branches() -> None:
    assert (len(CARDS), len(DRIVERS)) == (10, 5)


@pytest.mark.parametrize(
    ("card", "driver", "torch"),
    [
        ("RTX 3090", "470.256.02", "2.7.1+cu118"),  # the last torch with an 11.x build
        ("RTX 3090", "535.288.01", "2.14.1+cu126"),  # the last with a 12.x build that is advertised
        ("GTX 1080 Ti", "580.126.09", "2.14.1+cu126"),  # 13.x has no code for Pascal
        ("RTX 5090", "570.211.01", "2.11.0+cu128"),  # 12.6 has no code for Blackwell, 13.0 needs 580
        ("RTX 5090", "535.288.01", "–"),  # this driver does not know the card
    ],
)
def test_cells_that_people_get_wrong(card: str, driver: str, torch: str) -> None:
    assert picked(card, driver, load()) == torch
