"""Progress of a build or a pull: a live display on a terminal, plain lines elsewhere.

    with Progress(console) as progress:
        engine.build(request, progress)

Progress is a Listener. On a terminal a few lines at the bottom show what runs now and for how long, and everything that
ended stands above them, one line each. Elsewhere a line is written when a step begins and when it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from builder.engine.base import Event, LayerProgress, Note, StepFinished, StepOutput, StepProgress, StepStarted
from builder.threads import start_deaf
from builder.ui.activity import Activity, Pull
from builder.ui.console import Console
from builder.ui.text import as_bytes, as_seconds, fit, plain, width

_FRAME_S: Final = 0.1  # ten frames a second at most
_BYTES_EVERY_S: Final = 5.0
_NOTEWORTHY_S: Final = 2.0  # the builder's own steps leave a line only when someone waited for them

_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"
_CLEAR_BELOW: Final = "\x1b[J"
_DIM: Final = "\x1b[2m"
_RESET: Final = "\x1b[0m"

Clock = Callable[[], float]


class Progress:
    """The display that fits the console. ticks: whether time goes on by itself; tests move it on by hand."""

    def __init__(self, console: Console, clock: Clock = time.monotonic, *, ticks: bool = True) -> None:
        self._display: _Live | _Plain = _Live(console, clock) if console.is_live else _Plain(console, clock)
        self._ticks = ticks and console.is_live
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._ticker = threading.Thread(target=self._run, name="wsb-progress", daemon=True)

    def __enter__(self) -> Progress:
        if self._ticks:
            start_deaf(self._ticker)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._ending.set()
        try:
            if self._ticks:
                self._ticker.join()
        finally:  # a second Ctrl-C must not leave the terminal without a cursor
            with self._lock, suppress(OSError, ValueError):
                self._display.close(is_complete=kind is None)

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._display.show(event)

    def tick(self) -> None:
        """Let the display show that time has passed."""
        with self._lock:
            self._display.tick()

    def _run(self) -> None:
        while not self._ending.wait(_FRAME_S):
            try:
                self.tick()
            except (OSError, ValueError):  # the terminal went away; the next event says so where it can be handled
                return


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    is_dim: bool = False


class _Live:
    """Draws a block of lines at the bottom and erases it before it draws the next."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._activity = Activity()
        self._above: list[str] = []  # what has ended since the last frame
        self._drawn: list[_Row] = []
        self._drawn_at = float("-inf")
        self._is_cursor_hidden = False

    def show(self, event: Event) -> None:
        now = self._clock()
        if isinstance(event, LayerProgress):
            self._pulled(self._activity.layer(event, now))
        elif isinstance(event, Note):
            self._above.append(plain(event.text))
        else:
            self._pulled(self._activity.end_pull())
            self._step(event, now)
        self.tick()

    def tick(self) -> None:
        if self._clock() - self._drawn_at >= _FRAME_S:
            self._draw()

    def close(self, *, is_complete: bool) -> None:
        if is_complete:
            self._pulled(self._activity.end_pull())
        self._activity = Activity()
        self._draw()
        if self._is_cursor_hidden:
            self._console.write(_SHOW_CURSOR)

    def _step(self, event: StepStarted | StepProgress | StepOutput | StepFinished, now: float) -> None:
        if isinstance(event, StepStarted):
            self._activity.start(event, now)
        elif isinstance(event, StepProgress):
            self._activity.progress(event)
        elif isinstance(event, StepOutput):
            self._activity.print(event)
        else:
            label = self._activity.finish(event)
            if event.error or not label.is_internal or event.seconds >= _NOTEWORTHY_S:
                word = "FAILED" if event.error else "CACHED" if event.is_cached else as_seconds(event.seconds)
                self._above.append(_line(word, str(label)))

    def _pulled(self, pull: Pull | None) -> None:
        if pull:
            size = f"  {as_bytes(pull.total_bytes)}" if pull.total_bytes else ""
            self._above.append(_line(as_seconds(self._clock() - pull.since), f"{pull.title}{size}"))

    def _draw(self) -> None:
        self._drawn_at = self._clock()
        columns = self._console.width
        block = self._block(columns)
        if block == self._drawn and not self._above:
            return
        frame = self._erased(columns)
        frame += "".join(f"{fit(line, columns - 1)}\n" for line in self._above)
        frame += "\n".join(map(self._painted, block))
        if block and not self._is_cursor_hidden:
            frame = _HIDE_CURSOR + frame
            self._is_cursor_hidden = True
        self._above, self._drawn = [], block
        self._console.write(frame)

    def _block(self, columns: int) -> list[_Row]:
        """A line for each thing that runs, one more for what it is at; no more than fit on the screen."""
        now = self._clock()
        pull = self._activity.pull
        running = [(pull.since, pull.title, pull.detail)] if pull else []
        running += [(step.since, str(step.label), step.detail) for step in self._activity.steps.values()]
        rows: list[_Row] = []
        for since, name, detail in running[-max(1, (self._console.height - 2) // 2) :]:
            rows.append(_Row(fit(_line(f"{int(now - since)}s", name), columns - 1)))
            if detail:
                rows.append(_Row(fit(_line("", detail), columns - 1), is_dim=True))
        return rows

    def _erased(self, columns: int) -> str:
        """Back to where the block began; a window made narrower meanwhile has wrapped its lines."""
        rows = sum(max(1, -(-width(row.text) // columns)) for row in self._drawn)
        up = f"\x1b[{rows - 1}A" if rows > 1 else ""
        return f"\r{up}{_CLEAR_BELOW}" if rows else ""

    def _painted(self, row: _Row) -> str:
        return f"{_DIM}{row.text}{_RESET}" if row.is_dim and self._console.has_colour else row.text


class _Plain:
    """One line at a step's begin, one at its end, and the bytes of a long transfer now and then."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._activity = Activity()
        self._said_at = clock()

    def show(self, event: Event) -> None:
        now = self._clock()
        if isinstance(event, LayerProgress):
            is_new = self._activity.pull is None or self._activity.pull.image != event.image
            self._pulled(self._activity.layer(event, now))
            if (pull := self._activity.pull) is not None:
                if is_new:
                    self._say("start", pull.title)
                self._now_and_then(pull.title, pull.detail.partition("] ")[2])
            return
        if isinstance(event, Note):
            self._console.line(plain(event.text))
            return
        self._pulled(self._activity.end_pull())
        if isinstance(event, StepStarted):
            label = self._activity.start(event, now).label
            if not label.is_internal:
                self._say("start", str(label))
        elif isinstance(event, StepProgress):
            self._activity.progress(event)
            running = self._activity.steps.get(event.id)
            if running:
                self._now_and_then(str(running.label), running.detail)
        elif isinstance(event, StepFinished):
            self._finished(event)

    def tick(self) -> None:
        pass

    def close(self, *, is_complete: bool) -> None:
        if is_complete:
            self._pulled(self._activity.end_pull())

    def _finished(self, event: StepFinished) -> None:
        label = self._activity.finish(event)
        if event.error:
            reason = (event.error.splitlines() or [""])[0]
            self._say("failed", f"{label} ({as_seconds(event.seconds)}): {reason}")
        elif event.is_cached and not label.is_internal:
            self._say("cached", str(label))
        elif not label.is_internal or event.seconds >= _NOTEWORTHY_S:
            self._say("done", f"{label} ({as_seconds(event.seconds)})")

    def _pulled(self, pull: Pull | None) -> None:
        if pull:
            size = f"{as_bytes(pull.total_bytes)}, " if pull.total_bytes else ""
            self._say("done", f"{pull.title} ({size}{as_seconds(self._clock() - pull.since)})")

    def _now_and_then(self, what: str, detail: str) -> None:
        if detail and self._clock() - self._said_at >= _BYTES_EVERY_S:
            self._say("", f"{what}: {detail}")

    def _say(self, word: str, text: str) -> None:
        self._said_at = self._clock()
        self._console.line(f"{word:<6} {plain(text)}")


def _line(word: str, text: str) -> str:
    return f"{word:>7}  {plain(text)}"
