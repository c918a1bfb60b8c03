"""BuildKit's protobuf, decoded by hand."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.engine import trace

RECORDED = Path(__file__).parent / "recorded" / "docker-20.10.24"


def frames(name: str) -> list[str]:
    """The `aux` of each line of the trace in a recording."""
    lines = map(json.loads, (RECORDED / name).read_text("utf-8").splitlines())
    return [line["aux"] for line in lines if line.get("id") == "moby.buildkit.trace"]


def everything(name: str) -> trace.StatusResponse:
    decoded = [trace.decode_aux(frame) for frame in frames(name)]
    return trace.StatusResponse(
        vertexes=tuple(vertex for one in decoded for vertex in one.vertexes),
        statuses=tuple(status for one in decoded for status in one.statuses),
        logs=tuple(log for one in decoded for log in one.logs),
    )


def test_a_recorded_build_names_its_steps() -> None:
    names = {vertex.name for vertex in everything("stages-buildkit.jsonl").vertexes}
    assert "[two 2/3] COPY --from=one /bin/busybox /copied" in names
    assert "[two 3/3] RUN echo two 1" in names
    assert "exporting to image" in names


def test_a_recorded_build_carries_what_its_steps_printed() -> None:
    logs = everything("stages-buildkit.jsonl").logs
    assert (1, b"hello\n") in {(log.stream, log.data) for log in logs}
    assert (2, b"err\n") in {(log.stream, log.data) for log in logs}


def test_a_recorded_failure_carries_the_step_s_error() -> None:
    errors = [vertex.error for vertex in everything("fails-buildkit.jsonl").vertexes if vertex.error]
    assert len(errors) == 1
    assert errors[0].endswith("exit code: 3")


def test_times_are_nanoseconds_of_the_engine_s_clock() -> None:
    finished = [vertex for vertex in everything("stages-buildkit.jsonl").vertexes if vertex.completed]
    assert all(vertex.started and vertex.completed and vertex.started <= vertex.completed for vertex in finished)
    assert 1_700_000_000 < (finished[0].started or 0) / 1e9 < 4_000_000_000


def test_a_cached_step_says_so() -> None:
    cached = {vertex.name for vertex in everything("stages-buildkit-again.jsonl").vertexes if vertex.is_cached}
    assert "[two 3/3] RUN echo two 1" in cached


def test_fields_of_a_newer_engine_are_skipped() -> None:
    vertex = b"\x0a\x03abc" + b"\x1a\x04name" + b"\x92\x03\x02zz" + b"\x99\x03" + bytes(8) + b"\x9d\x03" + bytes(4)
    message = b"\x0a" + bytes([len(vertex)]) + vertex + b"\xf8\x07\x01"
    assert trace.decode(message).vertexes == (trace.Vertex(digest="abc", name="name"),)


def test_a_negative_number_is_negative() -> None:
    status = b"\x0a\x01a\x12\x01v\x20" + b"\xff" * 9 + b"\x01"
    assert trace.decode(b"\x12" + bytes([len(status)]) + status).statuses[0].current == -1


@pytest.mark.parametrize(
    "message",
    [b"\x0a\x05ab", b"\x0a", b"\xff" * 11, b"\x00\x01", b"\x0b", b"\x0a\x02\x0a\x09"],
    ids=["short", "no length", "endless number", "field 0", "group", "short inside"],
)
def test_what_is_no_message_is_a_value_error(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"byte|cut off"):
        trace.decode(message)


def test_what_is_no_base64_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="base64"):
        trace.decode_aux("not base64!")


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(message: bytes) -> None:
    with contextlib.suppress(ValueError):
        trace.decode(message)


@given(st.sampled_from(frames("stages-buildkit.jsonl")), st.data())
def test_a_damaged_frame_is_decoded_or_refused(frame: str, data: st.DataObject) -> None:
    message = bytearray(base64.b64decode(frame))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        trace.decode(bytes(message[: data.draw(st.integers(0, len(message)))]))
