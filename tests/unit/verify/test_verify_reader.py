"""The reader makes a Report of whatever the runner printed, and never mistakes silence for success."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from builder.model.report import Check, Status
from builder.verify.reader import COMPLETE_ID, CheckFinished, CheckStarted, ReportReader, RunBegun


def check(id: str, status: str = "pass", **more: object) -> dict[str, object]:
    return {
        "id": id,
        "group": id.split(".")[0],
        "status": status,
        "measured": 1,
        "expected": 1,
        "seconds": 0.5,
        "hint": "",
        **more,
    }


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def begin(*ids: str) -> dict[str, object]:
    return {"event": "begin", "checks": list(ids)}


def finished(id: str, status: str = "pass", **more: object) -> dict[str, object]:
    return {"event": "finished", "check": check(id, status, **more)}


END = {"event": "end"}
WHOLE = lines(begin("a.x", "b.y"), {"event": "started", "id": "a.x"}, finished("a.x"), finished("b.y", "skip", hint="why"), END)


def test_a_whole_run_becomes_its_report_and_its_events():
    events: list[object] = []
    reader = ReportReader(events.append)
    reader.feed(WHOLE)
    report = reader.report("wsb/mnist")
    assert [(c.id, c.status) for c in report.checks] == [("a.x", Status.PASS), ("b.y", Status.SKIP)]
    assert events[:2] == [RunBegun(ids=("a.x", "b.y")), CheckStarted(id="a.x")]
    assert events[2] == CheckFinished(check=report.checks[0])
    assert (report.image, report.device, report.has_passed, reader.diagnostics) == ("wsb/mnist", "none", True, ())


@given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
def test_it_does_not_matter_how_the_bytes_are_cut(cuts: list[int]):
    reader, start = ReportReader(), 0
    for end in [*sorted(cuts), len(WHOLE)]:
        reader.feed(WHOLE[start:end])
        start = end
    whole = ReportReader()
    whole.feed(WHOLE)
    assert reader.report("i") == whole.report("i")


@given(st.lists(st.binary() | st.sampled_from(WHOLE.splitlines()), max_size=8))
def test_garbage_never_stops_the_reader(pieces: list[bytes]):
    reader = ReportReader()
    for piece in pieces:
        reader.feed(piece + b"\n")
    reader.report("i", None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_any_json_line_that_is_not_the_protocol_is_kept_aside(value: object):
    reader = ReportReader()
    reader.feed(lines(value))
    assert not reader.report("i").has_passed


@given(json_values, json_values, st.text())
def test_values_arrive_as_they_were_sent(measured: object, expected: object, hint: str):
    reader = ReportReader()
    reader.feed(lines(begin("a.x"), finished("a.x", measured=measured, expected=expected, hint=hint), END))
    assert reader.report("i").checks == (
        Check(id="a.x", group="a", status=Status.PASS, measured=measured, expected=expected, seconds=0.5, hint=hint),
    )


def test_lines_between_the_answers_are_diagnostics():
    reader = ReportReader()
    reader.feed(
        b"\xff warming up\n" + lines(begin("a.x")) + b'{"event": "finished"}\n{"event": 7}\n' + lines(finished("a.x"), END)
    )
    assert reader.report("i").has_passed
    assert reader.diagnostics == ("\ufffd warming up", '{"event": "finished"}', '{"event": 7}')


def test_a_runner_that_dies_midway_fails_and_so_does_every_unanswered_check():
    reader = ReportReader()
    reader.feed(lines(begin("a.x", "a.y", "b.z"), finished("a.x"), {"event": "started", "id": "a.y"}) + b'{"event": "fini')
    reader.feed_stderr(b"Killed\n")
    report = reader.report("i", 137)
    assert [(c.id, c.group, c.status) for c in report.checks] == [
        ("a.x", "a", Status.PASS),
        ("a.y", "a", Status.FAIL),
        ("b.z", "b", Status.FAIL),
        (COMPLETE_ID, "environment", Status.FAIL),
    ]
    assert "while this check ran" in report.checks[1].hint
    complete = report.checks[-1]
    assert complete.measured == "the runner stopped during a.y (exit code 137: killed, as the kernel does when memory runs out)"
    assert "Killed" in complete.hint


def test_a_runner_that_never_started_is_a_failure_that_shows_what_was_said():
    reader = ReportReader()
    reader.feed_stderr(b"python: can't open file '/opt/wsb/probes/run.py'\n")
    report = reader.report("i", 2)
    assert [c.id for c in report.checks] == [COMPLETE_ID]
    assert "can't open file" in report.checks[0].hint
    assert not report.has_passed


def test_a_runner_that_ends_badly_after_all_answers_is_a_failure():
    reader = ReportReader()
    reader.feed(WHOLE)
    assert reader.report("i", 1).checks[-1].measured == "the runner ended (exit code 1)"


def test_the_last_answer_counts_when_only_its_newline_is_missing():
    reader = ReportReader()
    reader.feed(WHOLE.rstrip(b"\n"))
    assert reader.report("i").has_passed


def test_an_answer_that_was_not_announced_is_kept():
    reader = ReportReader()
    reader.feed(lines(begin("a.x"), finished("a.x"), finished("z.z", "fail"), END))
    assert [c.id for c in reader.report("i").checks] == ["a.x", "z.z"]


def test_the_device_is_what_the_gpu_checks_ran_on():
    def device(*measured: object, id: str = "gpu.visible") -> str:
        reader = ReportReader()
        for value in measured:
            reader.feed(lines(finished(id, measured=value)))
        return reader.report("i").device

    assert device({"devices": ["NVIDIA H200", "NVIDIA H200"], "is_mock": True}) == "NVIDIA H200"
    assert device({"device": "NVIDIA H200"}, id="gpu.matmul.fp32") == "NVIDIA H200"
    assert device({"devices": [], "is_mock": True}) == "mock"
    assert device({"devices": [], "is_mock": False}) == "none"
    assert device({"devices": ["NVIDIA H200"]}, id="torch.version") == "none"
    assert device("text", None, {"devices": 3}) == "none"
