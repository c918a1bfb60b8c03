"""What is going on at this moment, kept from the events of a build or a pull, ready to be drawn in a few lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from builder.engine.base import LayerProgress, StepFinished, StepOutput, StepProgress, StepStarted
from builder.ui.steps import Label, label
from builder.ui.text import as_bytes, plain

_LAYER_HERE = ("pull complete", "already exists", "loaded", "pushed", "layer already exists")
_LAYER_DONE = (*_LAYER_HERE, "download complete")


@dataclass(slots=True)
class Running:
    """A step that has not ended. since: seconds of the display's clock."""

    label: Label
    since: float
    _line: str = ""
    _open: str = ""
    _bytes: str = ""

    def print(self, text: str) -> None:
        *whole, self._open = (self._open + text).split("\n")
        self._open = self._open[-4096:]
        for line in reversed((*whole, self._open)):
            shown = plain(line).strip()
            if shown:
                self._line, self._bytes = shown, ""
                return

    def progress(self, event: StepProgress) -> None:
        # a digest says nothing to a person: "extracting sha256:3c8e…" becomes "extracting"
        words = " ".join(word for word in plain(event.what).split() if not word.startswith("sha256:"))
        self._bytes = f"{words} {as_bytes(event.current, event.total)}".strip()

    @property
    def detail(self) -> str:
        """The last line it printed, or how many bytes it has moved, whichever came last."""
        return self._bytes or self._line


@dataclass(slots=True)
class Pull:
    """All layers of one image that is being pulled, or pushed."""

    image: str
    since: float
    _current: dict[str, int] = field(default_factory=dict)
    _total: dict[str, int] = field(default_factory=dict)
    _phase: dict[str, str] = field(default_factory=dict)

    def update(self, event: LayerProgress) -> None:
        phase = event.what.lower()
        self._phase[event.layer] = phase
        if phase.startswith(("downloading", "pushing")):
            self._current[event.layer] = event.current
            self._total[event.layer] = max(event.total, event.current)
        elif phase in _LAYER_DONE:
            self._current[event.layer] = self._total.get(event.layer, 0)

    @property
    def title(self) -> str:
        """What is done with which image: pull debian:bookworm."""
        pushes = any(phase.startswith(("push", "layer already")) for phase in self._phase.values())
        return f"{'push' if pushes else 'pull'} {self.image}"

    @property
    def total_bytes(self) -> int:
        return sum(self._total.values())

    @property
    def detail(self) -> str:
        """One bar for all layers, the bytes, and how many layers are there."""
        here = sum(phase in _LAYER_HERE for phase in self._phase.values())
        layers = f"{here}/{len(self._phase)} layers"
        if not self.total_bytes:
            return layers
        current = sum(self._current.values())
        filled = 20 * current // self.total_bytes
        return f"[{'#' * filled}{'.' * (20 - filled)}] {as_bytes(current, self.total_bytes)}, {layers}"


@dataclass(slots=True)
class Activity:
    """The steps that run and the image that is pulled, in the order they began."""

    steps: dict[str, Running] = field(default_factory=dict)
    pull: Pull | None = None

    def start(self, event: StepStarted, now: float) -> Running:
        self.steps[event.id] = Running(label(event.name), now)
        return self.steps[event.id]

    def print(self, event: StepOutput) -> None:
        if event.id in self.steps:
            self.steps[event.id].print(event.text)

    def progress(self, event: StepProgress) -> None:
        if event.id in self.steps:
            self.steps[event.id].progress(event)

    def finish(self, event: StepFinished) -> Label:
        running = self.steps.pop(event.id, None)
        return running.label if running else label(event.name)

    def layer(self, event: LayerProgress, now: float) -> Pull | None:
        """Take the event; the pull that it ends by being about another image."""
        ended = self.end_pull() if self.pull and self.pull.image != event.image else None
        if self.pull is None:
            self.pull = Pull(event.image, now)
        self.pull.update(event)
        return ended

    def end_pull(self) -> Pull | None:
        """The pull that was going on. A pull tells its layers, never its end: whatever comes next is that."""
        ended, self.pull = self.pull, None
        return ended
