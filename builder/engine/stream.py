"""The stream that answers a build, turned into events: BuildKit's trace and the classic builder's text alike.

In come the JSON messages in the order the engine sends them; out go events to a listener, and, at the end, the image's id
or what failed with the last lines it printed. An engine that ignores `version=2` (Podman, the classic builder) answers in
text, so each message says by its own shape which of the two it is.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from builder.engine import trace
from builder.engine.base import (
    LayerProgress,
    Listener,
    Note,
    StepFinished,
    StepOutput,
    StepProgress,
    StepStarted,
)
from builder.model.frozen import frozen

Message = Mapping[str, Any]
Clock = Callable[[], float]

TAIL_LINES: Final = 20
CANCELLED: Final = "context canceled"  # what BuildKit says of the steps that ran beside the one that failed

# "Step 3/9 : RUN …" by dockerd; "STEP 3/9: RUN …" and "[1/2] STEP 3/9: RUN …" by buildah, which is Podman's builder
_STEP: Final = re.compile(r"(?:\[\d+/\d+\] )?(?:Step|STEP) (\d+)/(\d+) ?: (.*)", re.DOTALL)
_STAGE: Final = re.compile(r"FROM\s+.*\sAS\s+(\S+)\s*$", re.IGNORECASE | re.DOTALL)
_USING_CACHE: Final = re.compile(r" ?-+> Using cache")
_BUILT: Final = re.compile(r"Successfully built ([0-9a-f]{12,64})\s*$")
_BOOKKEEPING: Final = re.compile(
    r" ---> |--> |Removing intermediate container |(?:\[\d+/\d+\] )?COMMIT\b|Successfully tagged |[0-9a-f]{64}\n$"
)
_EXIT_CODE: Final = re.compile(r"(?:exit code: |returned a non-zero code: |exit status )(\d+)")


@frozen
class Failure:
    """Why the engine did not build. step_name: "" when no step was at fault. output: the step's last lines."""

    message: str
    step_name: str = ""
    exit_code: int | None = None
    output: tuple[str, ...] = ()


@dataclass(slots=True)
class Tail:
    """The last lines of a text that comes in pieces; a line drawn over with \\r counts as it looked last."""

    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    _open: str = ""

    def add(self, text: str) -> None:
        *whole, self._open = (self._open + text).split("\n")
        self._lines.extend(map(_as_last_drawn, whole))
        if len(self._open) > 65536:  # a bar redrawn with \r for hours never ends its line
            self._open = _as_last_drawn(self._open)[-65536:]

    @property
    def lines(self) -> tuple[str, ...]:
        last = _as_last_drawn(self._open)
        lines = [*self._lines, last] if last else list(self._lines)
        return tuple(lines[-TAIL_LINES:])


def _as_last_drawn(line: str) -> str:
    return line.rstrip("\r").rsplit("\r", 1)[-1]


@dataclass(slots=True)
class _Step:
    name: str
    started: float = 0.0
    is_open: bool = True
    is_cached: bool = False
    tail: Tail = field(default_factory=Tail)
    decoders: dict[int, codecs.IncrementalDecoder] = field(default_factory=dict)


class BuildStream:
    """Feed it the messages of one build, then ask for image_id and failure()."""

    def __init__(self, listener: Listener, clock: Clock) -> None:
        """clock: seconds of any origin; times the steps of the classic stream, which carries no times."""
        self.image_id = ""
        self._tell = listener
        self._clock = clock
        self._steps: dict[str, _Step] = {}
        self._failed = ""  # the id of the step at fault
        self._message = ""
        self._code: int | None = None
        self._current = ""  # the classic stream runs one step at a time
        self._stage = ""
        self._just_began = False

    def feed(self, message: Message) -> None:
        """Take one message. Raises nothing for messages it does not understand: newer engines may send more kinds."""
        aux = message.get("aux")
        if message.get("id") == "moby.buildkit.trace" and isinstance(aux, str):
            self._trace(aux)
        elif isinstance(aux, Mapping) and isinstance(aux.get("ID"), str):
            self.image_id = aux["ID"]
        elif "errorDetail" in message or "error" in message:
            self._error(message)
        elif isinstance(message.get("stream"), str):
            self._text(message["stream"])
        elif isinstance(message.get("status"), str):
            event = layer_progress(self._name(self._current).rpartition("FROM ")[2], message)
            if event:
                self._tell(event)

    def failure(self) -> Failure | None:
        """What the engine says went wrong; None when it has not said so."""
        if not self._message:
            return None
        step = self._steps.get(self._failed)
        if step is None:
            return Failure(message=self._message, exit_code=self._code)
        return Failure(message=self._message, step_name=step.name, exit_code=self._code, output=step.tail.lines)

    def _error(self, message: Message) -> None:
        detail = message.get("errorDetail")
        detail = detail if isinstance(detail, Mapping) else {}
        # newer engines send only errorDetail, older ones both; `error` alone comes from Podman
        self._message = str(detail.get("message") or message.get("error") or "the engine gave no reason")
        found = _EXIT_CODE.search(self._message)
        code = detail.get("code")
        self._code = code if isinstance(code, int) and code else int(found[1]) if found else None
        if self._current:
            self._failed = self._current
            self._close(self._current, error=self._message)

    # --- BuildKit's trace ---

    def _trace(self, aux: str) -> None:
        try:
            status = trace.decode_aux(aux)
        except ValueError:
            return  # one unreadable message costs its events, not the build
        self.take(status)

    def take(self, status: trace.StatusResponse) -> None:
        """One message of BuildKit's own, decoded: from the engine's trace, or from what buildx prints."""
        for vertex in status.vertexes:
            self._vertex_started(vertex)
        for part in status.statuses:
            if part.vertex in self._steps and (part.current or part.total):
                what = part.id if part.name in ("", part.id) else f"{part.name} {part.id}"
                self._tell(StepProgress(id=part.vertex, what=what, current=part.current, total=part.total))
        for log in status.logs:
            self._log(log)
        for vertex in status.vertexes:
            self._vertex_completed(vertex)
        for warning in status.warnings:
            self._tell(Note(text=warning.short))

    def _vertex_started(self, vertex: trace.Vertex) -> None:
        if vertex.started is None:
            return
        step = self._steps.get(vertex.digest)
        # a step may run twice, such as a base that is resolved first and unpacked later
        if step is None or (not step.is_open and vertex.started / 1e9 > step.started and vertex.completed is None):
            tail = step.tail if step else Tail()
            self._steps[vertex.digest] = _Step(name=vertex.name, started=vertex.started / 1e9, tail=tail)
            self._tell(StepStarted(id=vertex.digest, name=vertex.name))

    def _vertex_completed(self, vertex: trace.Vertex) -> None:
        step = self._steps.get(vertex.digest)
        if step is None or not step.is_open or vertex.started is None or vertex.completed is None:
            return
        if vertex.error and CANCELLED not in vertex.error and not self._failed:
            self._failed = vertex.digest
        seconds = max(0.0, (vertex.completed - vertex.started) / 1e9)
        self._close(vertex.digest, error=vertex.error, is_cached=vertex.is_cached, seconds=seconds)

    def _log(self, log: trace.Log) -> None:
        step = self._steps.get(log.vertex)
        if step is None:
            return
        if log.stream not in step.decoders:
            step.decoders[log.stream] = codecs.getincrementaldecoder("utf-8")("replace")
        self._print(log.vertex, step.decoders[log.stream].decode(log.data))

    # --- the classic stream ---

    def _text(self, text: str) -> None:
        if self._just_began and text == "\n":  # dockerd ends the line of a step in a message of its own
            self._just_began = False
            return
        self._just_began = False
        step = _STEP.match(text)
        built = _BUILT.match(text)
        if step:
            self._begin(int(step[1]), int(step[2]), step[3].strip())
        elif built:
            self.image_id = self.image_id or built[1]
            self._close(self._current)
        elif _USING_CACHE.match(text) and self._current:
            self._steps[self._current].is_cached = True
        elif not _BOOKKEEPING.match(text):
            # dockerd paints what comes from standard error red
            self._print(self._current, text.replace("\x1b[91m", "").replace("\x1b[0m", ""))

    def _begin(self, number: int, total: int, instruction: str) -> None:
        self._close(self._current)
        if instruction.upper().startswith("FROM"):
            stage = _STAGE.match(instruction)
            self._stage = f"{stage[1]} " if stage else ""
        name = f"[{self._stage}{number}/{total}] {instruction}"
        self._current = f"{self._stage}{number}/{total} {len(self._steps)}"
        self._steps[self._current] = _Step(name=name, started=self._clock())
        self._just_began = True
        self._tell(StepStarted(id=self._current, name=name))

    # --- both ---

    def _name(self, id: str) -> str:
        step = self._steps.get(id)
        return step.name if step else ""

    def _print(self, id: str, text: str) -> None:
        step = self._steps.get(id)
        if step and text:
            step.tail.add(text)
            self._tell(StepOutput(id=id, text=text))

    def _close(self, id: str, *, error: str = "", is_cached: bool = False, seconds: float | None = None) -> None:
        step = self._steps.get(id)
        if step is None or not step.is_open:
            return
        step.is_open = False
        took = self._clock() - step.started if seconds is None else seconds
        cached = is_cached or step.is_cached
        self._tell(StepFinished(id=id, name=step.name, is_cached=cached, seconds=took, error=error))


def layer_progress(image: str, message: Message) -> LayerProgress | None:
    """The event in one message of a pull; None for a line that is about no layer, such as "Pulling from …"."""
    layer, what = message.get("id"), message.get("status")
    if not isinstance(layer, str) or not isinstance(what, str) or what.startswith("Pulling from"):
        return None
    detail = message.get("progressDetail")
    detail = detail if isinstance(detail, Mapping) else {}
    current, total = detail.get("current"), detail.get("total")
    return LayerProgress(
        image=image,
        layer=layer,
        what=what,
        current=current if isinstance(current, int) else 0,
        total=total if isinstance(total, int) and total > 0 else 0,
    )
