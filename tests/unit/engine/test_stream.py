"""The answer to a build, as events: recorded streams of BuildKit, of dockerd's classic builder and of Podman."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.engine.base import Event, LayerProgress, Note, StepFinished, StepOutput, StepProgress, StepStarted
from builder.engine.stream import BuildStream, Tail, layer_progress

RECORDED = Path(__file__).parent / "recorded"
ALL = ["docker-20.10.24/{}-buildkit.jsonl", "docker-20.10.24/{}-classic.jsonl", "podman-4.3.1/{}-classic.jsonl"]
builders = pytest.mark.parametrize("name", ALL, ids=["buildkit", "classic", "podman"])


class Played:
    """A stream that was fed to the end."""

    def __init__(self, *messages: Mapping[str, Any]) -> None:
        self.events: list[Event] = []
        ticks = itertools.count()
        self.stream = BuildStream(self.events.append, lambda: float(next(ticks)))
        for message in messages:
            self.stream.feed(message)

    @classmethod
    def of(cls, name: str) -> Played:
        return cls(*map(json.loads, (RECORDED / name).read_text("utf-8").splitlines()))

    def finished(self) -> dict[str, StepFinished]:
        return {event.name: event for event in self.events if isinstance(event, StepFinished)}

    def output(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, StepOutput))


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protobuf message, for values below 128 or shorter than 128."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def vertex(name: str, *, started: int = 0, completed: int = 0, error: str = "", is_cached: bool = False) -> bytes:
    message = field(1, name.encode()) + field(3, f"[{name}]".encode()) + field(4, int(is_cached))
    message += field(5, field(1, started)) if started else b""
    message += field(6, field(1, completed)) if completed else b""
    return field(1, message + (field(7, error.encode()) if error else b""))


def log(name: str, data: bytes, stream: int = 1) -> bytes:
    return field(3, field(1, name.encode()) + field(3, stream) + field(4, data))


def traced(*parts: bytes) -> Mapping[str, Any]:
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(parts)).decode()}


@builders
def test_every_builder_tells_the_steps_in_the_same_words(name: str) -> None:
    names = Played.of(name.format("stages")).finished()
    assert any("one 2/2] RUN :" in name or "one 2/6] RUN :" in name for name in names)
    assert any(name.startswith("[two ") and name.endswith("COPY --from=one /bin/busybox /copied") for name in names)


@builders
def test_every_builder_tells_what_a_step_prints(name: str) -> None:
    text = Played.of(name.format("stages")).output()
    assert "hello\n" in text
    assert "err\n" in text
    assert "no newline é" in text


@builders
def test_no_builder_s_own_bookkeeping_is_output(name: str) -> None:
    text = Played.of(name.format("stages")).output()
    for word in ("-->", "COMMIT", "Removing", "Step", "STEP", "sha256", "Successfully", "\x1b"):
        assert word not in text


@builders
def test_every_builder_gives_the_image_s_id(name: str) -> None:
    played = Played.of(name.format("stages"))
    assert played.stream.image_id.startswith("sha256:")
    assert played.stream.failure() is None


@pytest.mark.parametrize("name", [name for name in ALL if "podman" not in name])
def test_a_rebuild_comes_from_the_cache(name: str) -> None:
    finished = Played.of(name.format("stages").replace(".jsonl", "-again.jsonl")).finished()
    ran = [name for name, event in finished.items() if "RUN" in name or "COPY" in name]
    assert ran
    assert all(finished[name].is_cached for name in ran)


@builders
def test_every_step_that_starts_ends(name: str) -> None:
    for case in ("stages", "fails"):
        played = Played.of(name.format(case))
        started = [event.id for event in played.events if isinstance(event, StepStarted)]
        ended = [event.id for event in played.events if isinstance(event, StepFinished)]
        assert sorted(started) == sorted(ended)
        assert len(set(started)) == len(started)


@builders
def test_a_failure_names_the_step_its_exit_code_and_its_last_20_lines(name: str) -> None:
    failure = Played.of(name.format("fails")).stream.failure()
    assert failure
    assert "2/2] RUN for i in " in failure.step_name
    assert failure.exit_code == 3
    assert failure.output == tuple(f"line {number}" for number in range(11, 31))


def test_a_dockerfile_that_cannot_be_read_fails_without_a_step() -> None:
    failure = Played.of("docker-20.10.24/mistyped-buildkit.jsonl").stream.failure()
    assert failure
    assert failure.step_name == ""
    assert "unknown instruction: RUNN" in failure.message


def test_the_step_at_fault_is_not_one_that_was_cancelled_beside_it() -> None:
    played = Played(
        traced(vertex("a", started=1), vertex("b", started=1)),
        traced(log("b", b"boom\n")),
        traced(vertex("a", started=1, completed=2, error="context canceled")),
        traced(vertex("b", started=1, completed=2, error="exit code: 9")),
        {"errorDetail": {"message": "executor failed: exit code: 9"}},
    )
    failure = played.stream.failure()
    assert failure
    assert (failure.step_name, failure.exit_code, failure.output) == ("[b]", 9, ("boom",))


def test_a_letter_cut_in_two_is_whole_again() -> None:
    data = "né".encode()
    played = Played(traced(vertex("a", started=1)), traced(log("a", data[:2])), traced(log("a", data[2:])))
    assert played.output() == "né"


def test_what_a_step_prints_comes_before_its_end() -> None:
    played = Played(traced(log("a", b"late\n"), vertex("a", started=1, completed=2)))
    assert [type(event) for event in played.events] == [StepStarted, StepOutput, StepFinished]


def test_bytes_of_a_download_are_told() -> None:
    status = field(2, field(1, b"sha256:1") + field(2, b"a") + field(3, b"extracting") + field(4, 5) + field(5, 9))
    played = Played(traced(vertex("a", started=1)), traced(status))
    assert played.events[-1] == StepProgress(id="a", what="extracting sha256:1", current=5, total=9)


def test_a_step_that_runs_again_is_told_again_and_a_repeated_end_is_not() -> None:
    played = Played(
        traced(vertex("a", started=1, completed=2)),
        traced(vertex("a", started=1, completed=2)),
        traced(vertex("a", started=3)),
        traced(vertex("a", started=3, completed=4)),
    )
    assert [type(event) for event in played.events] == [StepStarted, StepFinished] * 2


def test_advice_of_the_builder_is_a_note() -> None:
    played = Played(traced(field(4, field(1, b"a") + field(3, b"LegacyKeyValueFormat"))))
    assert played.events == [Note(text="LegacyKeyValueFormat")]


def test_a_damaged_frame_costs_only_itself() -> None:
    played = Played({"id": "moby.buildkit.trace", "aux": "!"}, traced(vertex("a", started=1)))
    assert len(played.events) == 1


def test_error_detail_goes_before_error() -> None:
    failure = Played({"errorDetail": {"message": "long", "code": 4}, "error": "short"}).stream.failure()
    assert failure
    assert (failure.message, failure.exit_code) == ("long", 4)


def test_error_alone_is_an_error_too() -> None:
    failure = Played({"error": "short"}).stream.failure()
    assert failure
    assert failure.message == "short"


def test_a_base_that_the_classic_builder_pulls_tells_its_layers() -> None:
    played = Played(
        {"stream": "Step 1/1 : FROM a/b:1"},
        {"status": "Pulling from a/b", "id": "1"},
        {"status": "Downloading", "id": "abc", "progressDetail": {"current": 3, "total": 8}},
    )
    layer = LayerProgress(image="a/b:1", layer="abc", what="Downloading", current=3, total=8)
    assert played.events[1:] == [layer]


def test_a_pull_s_line_about_no_layer_is_no_event() -> None:
    assert layer_progress("a", {"status": "Digest: sha256:1"}) is None
    assert layer_progress("a", {"status": "Pulling from library/a", "id": "latest"}) is None


def test_a_layer_without_a_size_has_total_0() -> None:
    event = layer_progress("a", {"status": "Extracting", "id": "x", "progressDetail": {"current": 2, "total": -1}})
    assert event == LayerProgress(image="a", layer="x", what="Extracting", current=2, total=0)


def test_a_line_drawn_over_counts_as_it_looked_last() -> None:
    tail = Tail()
    tail.add(" 10%\r 50%\r100%\r\ndone")
    assert tail.lines == ("100%", "done")


@given(st.lists(st.text(alphabet="ab\n\r")))
def test_a_tail_does_not_depend_on_how_the_text_is_cut(pieces: list[str]) -> None:
    whole, cut = Tail(), Tail()
    whole.add("".join(pieces))
    for piece in pieces:
        cut.add(piece)
    assert cut.lines == whole.lines
    assert len(cut.lines) <= 20


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(alphabet="abc\n", max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["ID", "message", "code"]), inner, max_size=2),
    max_leaves=4,
)
keys = st.sampled_from(["id", "aux", "stream", "status", "error", "errorDetail", "progressDetail"])
texts = st.sampled_from(["moby.buildkit.trace", "Step 1/2 : RUN x", " ---> Using cache\n", "Successfully built abcdefabcdef\n"])


@given(st.lists(st.dictionaries(keys, json_values | texts, max_size=4), max_size=6))
def test_no_message_breaks_the_stream(messages: list[dict[str, Any]]) -> None:
    Played(*messages).stream.failure()
