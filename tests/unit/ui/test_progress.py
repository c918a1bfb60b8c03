"""Progress, live on a small terminal of the test's own and as plain lines elsewhere. The clock is moved by hand."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.engine.base import Event, LayerProgress, Note, StepFinished, StepOutput, StepProgress, StepStarted
from builder.ui.console import Console
from builder.ui.progress import Progress
from tests.support.polling import eventually
from tests.support.screen import Screen

TORCH = "[torch 2/3] RUN --mount=type=cache,target=/c uv pip install torch==2.6.0"


def started(id: str = "t", name: str = TORCH) -> StepStarted:
    return StepStarted(id=id, name=name)


def finished(id: str = "t", name: str = TORCH, seconds: float = 12.3, **more: object) -> StepFinished:
    return StepFinished(**{"id": id, "name": name, "is_cached": False, "seconds": seconds, **more})  # type: ignore[arg-type]


def layer(name: str, what: str, current: int = 0, total: int = 0, image: str = "debian:bookworm") -> LayerProgress:
    return LayerProgress(image=image, layer=name, what=what, current=current, total=total)


class Watched:
    """A display, its screen and its clock."""

    def __init__(self, screen: io.StringIO, is_tty: bool, **environ: str) -> None:
        self.now = 0.0
        self.environ = {"TERM": "xterm", "NO_COLOR": "1", **environ}
        self.progress = Progress(Console(io.StringIO(), screen, self.environ, is_tty), lambda: self.now, ticks=False)

    def show(self, *events: Event, after: float = 0.2) -> None:
        for event in events:
            self.now += after
            self.progress(event)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.progress.tick()


class Live(Watched):
    def __init__(self, columns: int = 60, lines: int = 24, **environ: str) -> None:
        self.screen = Screen(columns, lines)
        super().__init__(self.screen, True, COLUMNS=str(columns), LINES=str(lines), **environ)

    @property
    def text(self) -> str:
        return self.screen.text


class Plain(Watched):
    def __init__(self) -> None:
        self.out = io.StringIO()
        super().__init__(self.out, False)

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


# --- live ---


def test_a_running_step_shows_its_seconds_and_its_last_line() -> None:
    live = Live()
    live.show(started(), StepOutput(id="t", text="Resolved 12 packages\nDownloading torch"))
    live.wait(7)
    assert live.text == "     7s  torch 2/3: uv pip install torch==2.6.0\n         Downloading torch"


def test_a_running_step_shows_its_bytes() -> None:
    live = Live()
    live.show(started(), StepProgress(id="t", what="extracting sha256:abc", current=123_000_000, total=192_000_000))
    assert live.text.splitlines()[1].strip() == "extracting 123/192 MB"


def test_a_finished_step_leaves_one_line() -> None:
    live = Live()
    live.show(started(), StepOutput(id="t", text="noise\n"), finished())
    assert live.text == "    12s  torch 2/3: uv pip install torch==2.6.0"


def test_a_cached_step_and_a_failed_one_say_so() -> None:
    live = Live()
    live.show(started("a"), finished("a", is_cached=True, seconds=0), started("b"), finished("b", error="exit code: 1"))
    assert [line.split()[0] for line in live.text.splitlines()] == ["CACHED", "FAILED"]


def test_finished_steps_stand_above_those_that_run() -> None:
    live = Live()
    live.show(started("a", "[1/3] RUN one"), started("b", "[2/3] RUN two"), finished("a", "[1/3] RUN one", 1.5))
    assert live.text.splitlines() == ["   1.5s  1/3: one", "     0s  2/3: two"]


def test_the_builder_s_own_steps_leave_a_line_only_when_they_took_long() -> None:
    live = Live()
    live.show(
        started("a", "[internal] load .dockerignore"),
        finished("a", "[internal] load .dockerignore", 0.1),
        started("b", "exporting to image"),
        finished("b", "exporting to image", 31),
    )
    assert live.text == "    31s  exporting to image"


def test_a_pull_is_one_bar_for_all_layers() -> None:
    live = Live()
    live.show(
        layer("a", "Pulling fs layer"),
        layer("b", "Pulling fs layer"),
        layer("c", "Already exists"),
        layer("a", "Downloading", 10_000_000, 40_000_000),
        layer("b", "Downloading", 20_000_000, 20_000_000),
        layer("b", "Download complete"),
    )
    assert live.text.splitlines()[1].strip() == "[##########..........] 30/60 MB, 1/3 layers"
    live.show(layer("a", "Pull complete"), layer("b", "Pull complete"), started())
    assert live.text.splitlines()[0].split() == ["1.6s", "pull", "debian:bookworm", "60", "MB"]


def test_a_note_is_a_line_above() -> None:
    live = Live()
    live.show(started(), Note(text="fallback: no registry\x1b[2J"))
    assert live.text.splitlines()[0] == "fallback: no registry"


def test_the_screen_is_drawn_ten_times_a_second_at_most() -> None:
    live = Live()
    live.show(started())
    before = live.screen.frames
    live.show(*[StepOutput(id="t", text=f"{number}\n") for number in range(1000)], after=0.001)
    assert live.screen.frames - before <= 11
    live.wait(0.1)
    assert "999" in live.text


def test_nothing_is_drawn_when_nothing_changed() -> None:
    live = Live()
    live.show(started())
    live.wait(0.2)
    before = live.screen.frames
    live.wait(0.2)
    assert live.screen.frames == before


def test_long_and_wide_text_never_reaches_the_edge() -> None:
    live = Live(columns=30)
    live.show(
        started("a", "[数据集 2/3] RUN 下载" + "很长" * 40), StepOutput(id="a", text="\x1b[31m" + "进度" * 50 + "\x1b[0m\r\n")
    )
    live.show(finished("a", "[数据集 2/3] RUN 下载" + "很长" * 40), started("b", "[3/3] RUN x"))
    assert live.screen.widest < 30
    assert len(live.text.splitlines()) == 2


def test_more_steps_than_lines_show_the_last_ones() -> None:
    live = Live(lines=8)
    for number in range(20):
        live.show(started(str(number), f"[{number}/20] RUN step{number}"))
    assert len(live.text.splitlines()) <= 7
    assert "step19" in live.text


def test_a_window_made_narrower_leaves_no_rubbish() -> None:
    live = Live(columns=60)
    live.show(started("a", "[1/2] RUN " + "a" * 80))
    wrapped, live.screen = live.screen, Screen(30)  # what the terminal does to the lines that stand there
    for char in wrapped.text:
        live.screen.write(char)
    live.progress._display._console._stderr = live.screen  # type: ignore[assignment]
    live.environ["COLUMNS"] = "30"
    live.show(finished("a", "[1/2] RUN a"))
    assert len(live.text.splitlines()) == 1


@pytest.mark.parametrize("reason", [None, KeyboardInterrupt, RuntimeError])
def test_however_it_ends_the_cursor_is_back_and_the_block_is_gone(reason: type[BaseException] | None) -> None:
    live = Live()
    with suppress(KeyboardInterrupt, RuntimeError), live.progress:
        live.show(started("a", "[1/2] RUN one"), finished("a", "[1/2] RUN one"), started())
        assert not live.screen.is_cursor_shown
        if reason:
            raise reason
    assert live.screen.is_cursor_shown
    assert live.text == "    12s  1/2: one"


def test_what_is_written_afterwards_begins_on_its_own_line() -> None:
    live = Live()
    with live.progress:
        live.show(started(), finished())
    live.screen.write("error: x\n")
    assert live.text.splitlines()[-1] == "error: x"


def test_a_terminal_that_goes_away_does_not_hide_the_error() -> None:
    class Gone(Screen):
        is_gone = False

        def write(self, text: str) -> int:
            if self.is_gone:
                raise BrokenPipeError
            return super().write(text)

    live = Live()
    live.progress._display._console._stderr = live.screen = Gone()  # type: ignore[assignment]

    def fail() -> None:
        with live.progress:
            live.show(started())
            live.screen.is_gone = True  # type: ignore[attr-defined]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()


def test_time_goes_on_by_itself_between_events() -> None:
    screen = Screen()
    now = iter(range(10**6))
    console = Console(io.StringIO(), screen, {"TERM": "xterm"}, True)
    with Progress(console, lambda: float(next(now))) as progress:
        progress(started())
        before = screen.frames
        eventually(lambda: screen.frames > before + 2, "the display draws without events")


ids = st.sampled_from(["a", "b", "c"])
words = st.text(alphabet="ab \x1b[31m\r\n\t日é/\x07", max_size=30)
any_event = st.one_of(
    st.builds(StepStarted, id=ids, name=words),
    st.builds(StepOutput, id=ids, text=words),
    st.builds(StepProgress, id=ids, what=words, current=st.integers(0, 10**10), total=st.integers(0, 10**10)),
    st.builds(StepFinished, id=ids, name=words, is_cached=st.booleans(), seconds=st.floats(0, 1e5), error=words),
    st.builds(LayerProgress, image=words, layer=ids, what=words, current=st.integers(0, 99), total=st.integers(0, 99)),
    st.builds(Note, text=words),
)


@given(st.lists(any_event, max_size=12), st.integers(10, 40))
@settings(deadline=None)
def test_no_events_break_the_display_or_the_screen(events: list[Event], columns: int) -> None:
    live = Live(columns)
    with live.progress:
        live.show(*events)
    assert live.screen.widest < columns
    assert live.screen.is_cursor_shown


# --- plain ---


def test_a_line_when_a_step_begins_and_one_when_it_ends() -> None:
    plain = Plain()
    plain.show(started(), StepOutput(id="t", text="noise\n"), finished())
    assert plain.lines == [
        "start  torch 2/3: uv pip install torch==2.6.0",
        "done   torch 2/3: uv pip install torch==2.6.0 (12s)",
    ]


def test_cached_and_failed_steps_in_plain_lines() -> None:
    plain = Plain()
    plain.show(started("a"), finished("a", is_cached=True), started("b"), finished("b", seconds=2, error="exit code: 1\nmore"))
    assert plain.lines[1] == "cached torch 2/3: uv pip install torch==2.6.0"
    assert plain.lines[3] == "failed torch 2/3: uv pip install torch==2.6.0 (2.0s): exit code: 1"


def test_bytes_are_told_every_five_seconds() -> None:
    plain = Plain()
    plain.show(started(), after=1)
    for number in range(60):
        plain.show(StepProgress(id="t", what="torch.whl", current=number * 1_000_000, total=60_000_000), after=1)
    told = [line.rpartition(" torch.whl ")[2] for line in plain.lines[1:]]
    assert plain.lines[1].startswith("       torch 2/3: uv pip install torch==2.6.0: torch.whl ")
    assert told == [f"{number}/60 MB" for number in range(4, 60, 5)]


def test_a_pull_in_plain_lines() -> None:
    plain = Plain()
    with plain.progress:
        plain.show(*[layer("a", "Downloading", number * 1_000_000, 30_000_000) for number in range(31)])
        plain.show(layer("a", "Pull complete"))
    assert plain.lines == [
        "start  pull debian:bookworm",
        "       pull debian:bookworm: 25/30 MB, 0/1 layers",
        "done   pull debian:bookworm (30 MB, 6.2s)",
    ]


def test_a_push_is_called_one_and_follows_what_was_pulled_before() -> None:
    plain = Plain()
    with plain.progress:
        plain.show(layer("a", "Downloading", 1_000_000, 1_000_000), layer("a", "Pull complete"))
        plain.show(replace(layer("b", "Layer already exists"), image="registry.lab/one:1"))
        plain.show(replace(layer("c", "Pushing", 1_000_000, 2_000_000), image="registry.lab/one:1"), after=6)
        plain.show(replace(layer("c", "Pushed"), image="registry.lab/one:1"))
    told = [line.partition(" (")[0] for line in plain.lines]
    assert told == [
        "start  pull debian:bookworm",
        "done   pull debian:bookworm",
        "start  push registry.lab/one:1",
        "       push registry.lab/one:1: 1.0/2.0 MB, 1/2 layers",
        "done   push registry.lab/one:1",
    ]


def test_a_pull_that_fails_is_not_called_done() -> None:
    plain = Plain()
    with suppress(RuntimeError), plain.progress:
        plain.show(layer("a", "Downloading", 1, 2))
        raise RuntimeError
    assert plain.lines == ["start  pull debian:bookworm"]


def test_plain_lines_hold_no_control_characters() -> None:
    plain = Plain()
    plain.show(started("a", "[1/2] RUN \x1b[31mx"), finished("a", "", error="\x1b[2Jy\r\n"), Note(text="\x07n"))
    assert "\x1b" not in plain.out.getvalue()
    assert "\x07" not in plain.out.getvalue()


def test_the_builder_s_own_quick_steps_are_not_told() -> None:
    plain = Plain()
    plain.show(started("a", "copy /context /"), finished("a", "copy /context /", 0.1))
    assert plain.lines == []
