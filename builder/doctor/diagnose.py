"""From a log to what went wrong: the known causes in the order of cause, and errors nobody knows.

In: bytes, text or lines. Out: a Diagnosis. The rules of order:

* the order of the log, since what fails first is written first, also in Python's chains of exceptions;
* what only follows from another process's failure (a rank that waited, a worker that was killed) stands behind causes;
* what explains another finding stands before it, wherever the log has the two;
* of several ranks the one that torchrun calls the root cause comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, Final

from builder.doctor import catalogue, signs
from builder.doctor.evidence import Collector, Event, Evidence
from builder.doctor.log import Numbered, lines_of, read
from builder.model.diagnosis import Diagnosis, KnownCause, Role, UnknownError

_APART: Final = 30  # lines between two errors that have nothing to do with each other
_CLOSE: Final = 12  # lines between a warning, or a failed try, and what came of it
_SHOWN: Final = 10
_ORDER: Final = {Role.CAUSE: 0, Role.CONSEQUENCE: 1, Role.NOTICE: 2}


def diagnose(stream: BinaryIO) -> Diagnosis:
    """What a log says, read once from start to end; nothing of it is kept but its errors."""
    return _diagnose(read(stream))


def diagnose_text(text: str) -> Diagnosis:
    """The same of a text that is in memory, such as the last output of a command."""
    return _diagnose(lines_of(text))


def _diagnose(lines: Iterable[Numbered]) -> Diagnosis:
    return judge(Collector(catalogue.standard()).read(lines))


def judge(evidence: Evidence) -> Diagnosis:
    """Which events count, and which of them explain the others."""
    events = evidence.events
    for event in events:  # what nothing came after was not coped with, whatever was said
        event.is_dealt_with = event.was_survived(evidence.ordinary)
    counted = [event for event in events if not event.is_dealt_with and not event.is_mild]
    aside = [event for event in events if event.match and event not in counted]
    known = [event for event in counted if event.match]
    unknown = [event for event in counted if not event.match and not _is_explained(event, known)]
    follows = [event for event in known if event.match and event.match.row.role is Role.CONSEQUENCE]
    open_questions = unknown + (follows if len(follows) == len(known) else [])
    known += [event for event in aside if _explains_any(event, known) or _was_warning_of(event, open_questions)]
    return Diagnosis(findings=tuple(_ordered(known, evidence.root_rank)), unknown=tuple(_unknown(unknown, known)))


def _explains_any(event: Event, known: Sequence[Event]) -> bool:
    """Whether an error that was retried, or only warned of, is the reason of one that was not survived."""
    explains = event.match.row.explains if event.match else ()
    return any(one.match and one.match.row.id in explains and abs(one.line - event.line) <= _CLOSE for one in known)


def _was_warning_of(event: Event, failures: Sequence[Event]) -> bool:
    """Whether something was warned of just before the program failed in a way that nothing else explains."""
    return event.is_mild and not event.is_dealt_with and any(0 < one.first - event.last <= _CLOSE for one in failures)


def _is_explained(event: Event, known: Sequence[Event]) -> bool:
    """Whether a known error is the reason of this other one.

    An echo needs any; an error of its own needs a cause near to it, as errors of one failure stand together.
    """
    fatal = [one for one in known if one.match and one.match.row.role is not Role.NOTICE]
    if event.is_echo:
        return bool(fatal)
    causes = [one for one in fatal if one.match and one.match.row.role is Role.CAUSE]
    return any(event.first - one.last <= _APART and one.first - event.last <= _APART for one in causes)


def _ordered(known: Sequence[Event], root_rank: int | None) -> list[KnownCause]:
    """One finding an id, in the order of cause."""

    def key(event: Event) -> tuple[int, bool, int]:
        assert event.match is not None
        return (_ORDER[event.match.row.role], root_rank is not None and event.rank != root_rank, event.line)

    found: dict[str, Event] = {}
    for event in sorted(known, key=key):
        assert event.match is not None
        found.setdefault(event.match.row.id, event)
    ordered: list[Event] = []
    for event in found.values():
        assert event.match is not None
        explains = event.match.row.explains
        at = next((n for n, one in enumerate(ordered) if one.match and one.match.row.id in explains), len(ordered))
        ordered.insert(at, event)
    return [event.match.cause(event.line, event.text) for event in ordered if event.match]


def _unknown(events: Sequence[Event], known: Sequence[Event]) -> Iterator[UnknownError]:
    """The errors to show: echoes only where nothing better is told."""
    own = [event for event in events if not event.is_echo] or ([] if known else events)
    for event in own[:_SHOWN]:
        yield UnknownError(line=event.line, text=event.text[:500], package=signs.package_of(event.frames))
