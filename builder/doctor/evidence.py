"""What a log holds, in one pass over it: known errors, other errors, and whether each was coped with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from builder.doctor import signs
from builder.doctor.catalogue import Catalogue, Match, Present
from builder.doctor.log import Line, Numbered, blocks, lines_of, place
from builder.model.diagnosis import Role

_GOES_ON: Final = 2  # ordinary lines after an error that show that the program went on
_AFTER: Final = 3  # lines after an error that may say it was coped with
_CHAINED: Final = 4  # lines between two tracebacks of one chain of exceptions
_MOST: Final = 4000  # events that are kept; more say nothing new
_LONGEST_TRACEBACK: Final = 500  # lines


@dataclass(slots=True)
class Event:
    """One error of a log. match: None for an error that the catalogue does not know.

    line: where it is said. first, last: the lines that belong to it, a traceback before it and native frames behind it.
    is_echo: it only repeats that something failed. is_dealt_with: the log says that it was coped with, and goes on.
    is_logged: a logger wrote it, which puts a time or a level before each line.
    """

    line: int
    text: str
    match: Match | None
    stream: str = ""
    rank: int | None = None
    first: int = 0
    last: int = 0
    frames: tuple[str, ...] = ()
    is_echo: bool = False
    is_mild: bool = False
    is_dealt_with: bool = False
    is_logged: bool = False
    ordinary: int = 0

    def was_survived(self, ordinary: int) -> bool:
        """Whether it was coped with, and the log goes on. ordinary: the lines of the whole log."""
        return self.is_dealt_with and ordinary - self.ordinary >= _GOES_ON


@dataclass(slots=True)
class Evidence:
    """events: in the order of the log. root_rank: the rank that torchrun names as the first to fail.

    ordinary: how many lines of the log say nothing of errors; of an event, how many came before it.
    """

    events: list[Event] = field(default_factory=list)
    root_rank: int | None = None
    ordinary: int = 0


@dataclass(slots=True)
class _Traceback:
    first: int
    indent: int
    is_boxed: bool
    is_ignored: bool
    frames: list[str] = field(default_factory=list)


class Collector:
    """Reads lines and keeps what looks like an error. One use."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._present = Present()
        self._open: dict[str, _Traceback] = {}
        self._was_frame = False
        self._before = ""
        self._waiting: list[tuple[Event, int]] = []  # events, and how many lines may still say they were coped with
        self._ignores_until = 0
        self._root_until = 0
        self._seen: dict[tuple[str, int | None], int] = {}
        self.evidence = Evidence()

    def read(self, lines: Iterable[Numbered]) -> Evidence:
        """Read to the end; of lines without a word of interest nothing but their number is taken."""
        for block in blocks(lines):
            whole = "\n".join(text for _, text in block)
            self._present = self._catalogue.present(whole)
            words = [word for word in (*self._present.needles, *signs.WORDS) if word in whole]
            for number, text in block:
                if self._is_followed or any(word in text for word in words):
                    for part in _unfolded(text):
                        self._line(place(number, part))
                elif text and not text.isspace():
                    self.evidence.ordinary += 1
                    self._before = text
        return self.evidence

    @property
    def _is_followed(self) -> bool:
        """Whether every line counts just now: a traceback is open, or an error may still be said to be coped with."""
        return bool(self._open or self._waiting or self._was_frame or self._root_until)

    def _line(self, line: Line) -> None:
        text = line.text
        if text.strip() and not self._is_inside(line):
            waiting, is_event = list(self._waiting), False
            if line.stream.startswith("#") and signs.is_done(text):
                self._step_went_well(line.stream)
            else:
                is_event = self._plain(line)
            self._judge(waiting, line, is_event=is_event)
            self._before = text

    def _step_went_well(self, step: str) -> None:
        """A step of a build that ends well has coped with whatever it met."""
        for event in reversed(self.evidence.events):
            event.is_dealt_with |= event.stream == step and not (event.match and event.match.row.role is Role.NOTICE)
        self.evidence.ordinary += _GOES_ON

    # --- tracebacks: their frames and source lines quote errors and are none

    def _is_inside(self, line: Line) -> bool:
        """Whether the line belongs to the body of a traceback; its last line does not."""
        if signs.TRACEBACK in line.text:
            ignored = line.number <= self._ignores_until
            boxed = "─" in line.text
            self._open[line.stream] = _Traceback(line.number, _indent(line.text), boxed, ignored)
            if len(self._open) > 256:
                self._open.pop(next(iter(self._open)))
            return True
        open_one = self._open.get(line.stream)
        frame = signs.FRAME.match(line.text)
        if open_one is None:
            was_frame, self._was_frame = self._was_frame, frame is not None
            return frame is not None or (was_frame and line.indent > 0)
        if frame:
            open_one.frames = [*open_one.frames[-20:], frame["path"]]
            return True
        if line.number - open_one.first > _LONGEST_TRACEBACK:
            del self._open[line.stream]
            return False
        if open_one.is_boxed:
            return line.text.lstrip()[:1] in ("│", "╰", "|", "+")
        return _indent(line.text) > open_one.indent

    # --- lines outside of them

    def _plain(self, line: Line) -> bool:
        """Keep the line if it is an error; whether it spoke of one, kept or not."""
        text, present = line.text, self._present
        if signs.NATIVE_FRAME.match(text):
            if self.evidence.events:
                self.evidence.events[-1].last = line.number
            return False
        self._root_cause(line)
        ended = self._ended(line)
        if signs.AT_EXIT.match(text.strip()):
            self._ignores_until = line.number + 3
            return True
        if present.is_harmless(text) or (ended and ended.is_ignored):
            return True
        frames = tuple(ended.frames) if ended else ()
        is_echo = present.is_echo(text)
        match = present.match(text, is_plain_run=signs.is_plain_run(frames))
        if match and not ended and signs.is_talk(text, match.start):
            match = None
        if not (match or ended or is_echo or signs.is_error(text)):
            self.evidence.ordinary += signs.is_ordinary(text)
            return False
        self._keep(
            Event(
                line=line.number,
                text=text.strip(),
                match=match,
                stream=line.stream,
                rank=line.rank,
                first=ended.first if ended else line.number,
                last=line.number,
                frames=frames,
                is_echo=match is None and is_echo,
                is_mild=not ended and signs.is_mild(text),
                is_dealt_with=self._is_coped_with_here(text, match, has_traceback=ended is not None),
                is_logged=_is_logged(line),
                ordinary=self.evidence.ordinary,
            )
        )
        return True

    def _ended(self, line: Line) -> _Traceback | None:
        """The traceback whose last line this is."""
        return self._open.pop(line.stream, None) if signs.is_raised(line.text) else None

    def _is_coped_with_here(self, text: str, match: Match | None, *, has_traceback: bool) -> bool:
        """Whether the line itself says so, or what was said just before the traceback."""
        own = text if match is None else f"{text[: match.start]} … {text[match.end :]}"
        if signs.is_dealt_with(own):
            return True
        before = self._before if has_traceback else ""
        return signs.is_dealt_with(before) or signs.is_warned_failure(before)

    def _keep(self, event: Event) -> None:
        key = (event.match.row.id if event.match else "", event.rank)
        self._seen[key] = self._seen.get(key, 0) + 1
        if len(self.evidence.events) >= _MOST and self._seen[key] > 1:
            return
        self.evidence.events.append(event)
        self._waiting.append((event, _AFTER))

    def _judge(self, waiting: list[tuple[Event, int]], line: Line, *, is_event: bool) -> None:
        """A line after an error: does it say that the error was coped with?

        A line with an error of its own speaks of that one. Mere coping is about the line right before it, in the same voice;
        a second try may be told some lines later, and is about the last error. With an exception goes the whole chain it
        ended.
        """
        is_second_try = not is_event and signs.is_second_try(line.text)
        is_coped = not is_event and signs.is_dealt_with(line.text)
        still = []
        for event, left in waiting:
            is_last = event is waiting[-1][0]
            if is_last and (is_second_try or (is_coped and left == _AFTER and event.is_logged == _is_logged(line))):
                self._deal_with(event)
            elif left > 1:
                still.append((event, left - 1))
        self._waiting = still + self._waiting[len(waiting) :]

    def _deal_with(self, event: Event) -> None:
        """Mark an error, and the exceptions that it came from, as coped with."""
        event.is_dealt_with = True
        events = self.evidence.events
        at = events.index(event)
        while at and events[at].frames and 0 <= events[at].first - events[at - 1].last <= _CHAINED:
            at -= 1
            events[at].is_dealt_with = True

    def _root_cause(self, line: Line) -> None:
        """torchrun's summary names the rank that failed first."""
        if "Root Cause (first observed failure)" in line.text:
            self._root_until = line.number + 8
        elif found := re.search(r"rank\s+: (\d+)", line.text) if line.number <= self._root_until else None:
            self.evidence.root_rank, self._root_until = int(found[1]), 0
        elif line.number > self._root_until:
            self._root_until = 0


def _is_logged(line: Line) -> bool:
    return line.has_prefix or bool(signs.level(line.text))


def _indent(text: str) -> int:
    """Columns before the text, the bars of exception groups and of pip's boxes among them."""
    return len(text) - len(text.lstrip(" |│+"))


def _unfolded(text: str) -> Iterable[str]:
    """A traceback that was logged as one line, with \\n for its line breaks."""
    if "\\n" in text and signs.TRACEBACK in text:
        return [part for _, part in lines_of(text.replace("\\\\n", "\n").replace("\\n", "\n"))]
    return (text,)
