"""The catalogue of known errors, ready to be held against lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from builder import catalog
from builder.catalog.known_errors import KnownError, LogWords
from builder.doctor.phrases import Phrase, Phrases, words_of
from builder.model.diagnosis import KnownCause, Role

_PLACE: Final = re.compile(r"\{(?P<name>\w+)(?P<as>:cuda)?\}")
_ORDER: Final = {Role.CAUSE: 0, Role.CONSEQUENCE: 1, Role.NOTICE: 2}

# Of rows that match one line the least is taken: a particular one, a cause, the upper one of the table.
Preference = tuple[bool, int, int]
KnownPhrase = Phrase[tuple[Preference, KnownError]]


@dataclass(frozen=True, slots=True)
class Match:
    """A row found in a line. start, end: where in the text. facts: what the message told by name."""

    row: KnownError
    start: int
    end: int
    facts: dict[str, str]

    def cause(self, line: int, text: str) -> KnownCause:
        """The finding of this match."""
        return KnownCause(
            id=self.row.id,
            role=self.row.role,
            line=line,
            text=text.strip()[:500],
            cause=_told(self.row.cause, self.facts),
            remedy=_told(self.row.remedy, self.facts),
            source=self.row.source,
            facts=self.facts,
        )


@dataclass(frozen=True, slots=True)
class Present:
    """What of the catalogue can be found in a bunch of lines."""

    known: tuple[KnownPhrase, ...] = ()
    harmless: tuple[Phrase[None], ...] = ()
    echoes: tuple[Phrase[None], ...] = ()

    @property
    def needles(self) -> frozenset[str]:
        return frozenset(phrase.needle for phrases in (self.known, self.harmless, self.echoes) for phrase in phrases)

    def match(self, text: str, *, is_plain_run: bool = False) -> Match | None:
        """The best row for one line. is_plain_run: a traceback shows that no package was being built."""
        best: tuple[Preference, KnownError, re.Match[str]] | None = None
        for phrase in self.known:
            preference, row = phrase.of
            if (best is not None and preference >= best[0]) or (is_plain_run and row.is_of_build):
                continue
            found = phrase.search(text)
            if found is not None:
                best = (preference, row, found)
        if best is None:
            return None
        facts = {key: value for key, value in best[2].groupdict().items() if value is not None}
        return Match(best[1], best[2].start(), best[2].end(), facts)

    def is_harmless(self, text: str) -> bool:
        return any(phrase.search(text) for phrase in self.harmless)

    def is_echo(self, text: str) -> bool:
        return any(phrase.search(text) for phrase in self.echoes)


class Catalogue:
    """Known errors, and the words that belong to no error."""

    def __init__(self, rows: Sequence[KnownError], words: LogWords) -> None:
        self._known = Phrases(
            (pattern, ((row.is_general, _ORDER[row.role], number), row))
            for number, row in enumerate(rows)
            for pattern in row.patterns
        )
        self._harmless = Phrases((pattern, None) for pattern in words.harmless)
        self._echoes = Phrases((pattern, None) for pattern in words.echoes)

    def present(self, text: str) -> Present:
        """What can be found somewhere in this text."""
        words = words_of(text)
        return Present(
            self._known.among(text, words),
            self._harmless.among(text, words),
            self._echoes.among(text, words),
        )


@cache
def standard() -> Catalogue:
    """The catalogue that travels with wsb."""
    tables = catalog.load()
    return Catalogue(tables.known_errors, tables.log_words)


def _told(text: str, facts: dict[str, str]) -> str:
    """{name} in a sentence becomes what the message told; {name:cuda} a CUDA as the driver counts it, 12080 for 12.8."""

    def value(found: re.Match[str]) -> str:
        told = facts.get(found["name"], "it")
        if found["as"] and told.isdecimal():
            return f"{int(told) // 1000}.{int(told) % 1000 // 10}"
        return told

    return _PLACE.sub(value, text)
