"""What changed between two locks, a package a line."""

from __future__ import annotations

from dataclasses import replace

from builder.lock.changes import changes
from builder.model.lock import LockedPart
from tests.unit.lock.locks import DEB, locked, pip


def test_the_same_lock_changes_nothing() -> None:
    assert changes(locked(), locked(date="20270101T000000Z")) == ()


def test_what_came_went_and_moved_is_told_a_line_each() -> None:
    before = locked(workspace=LockedPart(pip=(pip("tqdm", "4.66.0"), pip("six", "1.17.0"))))
    after = locked(workspace=LockedPart(apt=(DEB,), pip=(pip("tqdm", "4.67.1"), pip("einops", "0.8.1"))))
    assert changes(before, replace(after, torch=replace(after.torch, apt=()))) == (
        "pip    einops  + 0.8.1",
        "pip    six  - 1.17.0",
        "pip    tqdm  4.66.0 -> 4.67.1",
    )


def test_the_same_version_with_other_files_is_told() -> None:
    after = locked(workspace=LockedPart(pip=(pip("tqdm", "4.67.1", "e"),)))
    assert changes(locked(), after) == ("pip    tqdm  4.67.1, other files",)


def test_a_first_lock_tells_everything() -> None:
    told = changes(None, locked())
    assert [line.split()[:2] for line in told] == [
        ["apt", "curl:amd64"],
        ["base", "wsb/base:bookworm"],
        ["conda", "six"],
        ["pip", "torch"],
        ["pip", "tqdm"],
    ]
