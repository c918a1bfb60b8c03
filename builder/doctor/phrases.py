"""Many regular expressions held against much text, quickly.

Every pattern has a needle, a piece of plain text that any match of it contains, and most needles have a whole word in them. A
bunch of lines without the word, or without the needle, is passed over without running a regular expression at all: a
gigabyte of progress bars costs seconds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_WORD: Final = re.compile(r"[A-Za-z]{3,}")


@dataclass(frozen=True, slots=True)
class Phrase(Generic[T]):
    """A pattern, its needle, and what it stands for."""

    needle: str
    pattern: re.Pattern[str]
    of: T

    def search(self, text: str) -> re.Match[str] | None:
        return self.pattern.search(text) if self.needle in text else None


class Phrases(Generic[T]):
    """Patterns by the words that must be there."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        self._by_word: dict[str, list[Phrase[T]]] = defaultdict(list)
        for pattern, of in patterns:
            plain = needle(pattern)
            self._by_word[_whole_word(plain)].append(Phrase(plain, re.compile(pattern), of))

    def among(self, text: str, words: Iterable[str]) -> tuple[Phrase[T], ...]:
        """Those that can match in this text. words: words_of(text)."""
        candidates = list(self._by_word.get("", ()))
        for word in words:
            candidates += self._by_word.get(word, ())
        return tuple(phrase for phrase in candidates if phrase.needle in text)


def words_of(text: str) -> frozenset[str]:
    """Every word of three letters or more, once."""
    return frozenset(_WORD.findall(text))


def needle(pattern: str) -> str:
    """The longest piece of plain text that every match of this regular expression contains.

    Raises ValueError for an alternative outside a group, which no single piece could stand for.
    """
    return max(_pieces(pattern), key=len)


def _whole_word(plain: str) -> str:
    """The longest word inside a needle; "" when each touches an end, where a text may go on with more letters."""
    inner = (found[0] for found in _WORD.finditer(plain) if found.start() > 0 and found.end() < len(plain))
    return max(inner, key=len, default="")


def _pieces(pattern: str) -> Iterator[str]:
    piece, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        literal = ""
        if char == "|":
            raise ValueError(f"alternative outside a group: {pattern}")
        if char == "\\":
            literal = "" if pattern[at + 1].isalnum() else pattern[at + 1]
            at += 2
        elif char in "[(":
            at = _closing(pattern, at)
        else:
            literal = "" if char in ".^$?*+{" else char
            at = pattern.index("}", at) + 1 if char == "{" else at + 1
        if literal:
            piece += literal
            continue
        yield piece[:-1] if char in "?*{" else piece  # what an optional sign stands behind need not be there
        piece = ""
    yield piece


def _closing(pattern: str, at: int) -> int:
    """The place behind the group or the set that opens here."""
    if pattern[at] == "[":
        end = at + 2 + (pattern[at + 1] == "^")
        while pattern[end] != "]":
            end += 2 if pattern[end] == "\\" else 1
        return end + 1
    at += 1
    while pattern[at] != ")":
        at = at + 2 if pattern[at] == "\\" else _closing(pattern, at) if pattern[at] in "[(" else at + 1
    return at + 1
