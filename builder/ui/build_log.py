"""The whole log of a build, in a file that an error can point at.

BuildLog is a Listener like the display; `both` hands each event to several. Every step has a number, so that the lines of
steps that ran side by side can be told apart.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

from builder.engine.base import Event, LayerProgress, Listener, Note, StepFinished, StepOutput, StepStarted

_KEPT: Final = 20


def log_directory(environ: Mapping[str, str]) -> Path:
    """Where logs are kept: $XDG_STATE_HOME/wsb/logs, by default below ~/.local/state."""
    state, home = environ.get("XDG_STATE_HOME"), environ.get("HOME")
    if state and Path(state).is_absolute():  # the standard wants a relative one ignored
        return Path(state, "wsb", "logs")
    return Path(home, ".local", "state", "wsb", "logs") if home else Path(tempfile.gettempdir(), "wsb-logs")


def log_path(environ: Mapping[str, str], now: datetime, name: str) -> Path:
    """The file for one log, such as …/wsb/logs/20261124-041500-build-mnist.log."""
    return log_directory(environ) / f"{now:%Y%m%d-%H%M%S}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.log"


def both(*listeners: Listener) -> Listener:
    """One listener that hands each event to all of them, in this order."""

    def listener(event: Event) -> None:
        for one in listeners:
            one(event)

    return listener


class BuildLog:
    """Writes events to a file. A log that cannot be written never stops a build: `path` is None then."""

    def __init__(self, path: Path) -> None:
        self.path: Path | None = path
        self._file: TextIO | None = None
        self._numbers: dict[str, int] = {}
        self._open: dict[str, str] = {}  # what a step has printed of a line that has not ended
        self._layers: dict[str, str] = {}

    def __enter__(self) -> BuildLog:
        assert self.path
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for old in sorted(self.path.parent.glob("*.log"))[: -_KEPT + 1]:
                old.unlink(missing_ok=True)
            self._file = self.path.open("w", encoding="utf-8", errors="replace")
        except OSError:
            self.path = None
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        for id, text in self._open.items():
            self._write(id, text)
        self._open = {}
        if self._file:
            self._close(self._file)

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._numbers.setdefault(event.id, len(self._numbers) + 1)
            self._write(event.id, event.name)
        elif isinstance(event, StepOutput):
            *lines, self._open[event.id] = (self._open.get(event.id, "") + event.text).split("\n")
            for line in lines:
                self._write(event.id, line)
        elif isinstance(event, StepFinished):
            self._write(event.id, self._open.pop(event.id, ""))
            took = f"DONE {event.seconds:.1f}s" if not event.error else f"ERROR {event.seconds:.1f}s: {event.error}"
            self._write(event.id, "CACHED" if event.is_cached else took)
        elif isinstance(event, LayerProgress):
            if self._layers.get(event.layer) != event.what:  # one line a phase, not one for each of its bytes
                self._layers[event.layer] = event.what
                verb = "push" if event.what.startswith(("Push", "Layer already")) else "pull"
                self._write("", f"{verb} {event.image} {event.layer} {event.what}")
        elif isinstance(event, Note):
            self._write("", event.text)

    def _write(self, id: str, text: str) -> None:
        if not text or self._file is None:
            return
        prefix = f"#{self._numbers[id]} " if id in self._numbers else ""
        try:
            self._file.writelines(f"{prefix}{line}\n" for line in text.splitlines())
            self._file.flush()
        except OSError:  # a full disk
            self._close(self._file)
            self.path = None

    def _close(self, file: TextIO) -> None:
        self._file = None
        try:
            file.close()
        except OSError:
            self.path = None
