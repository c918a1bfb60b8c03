"""The fake is an Engine, and does what tests above the engine room rely on."""

from __future__ import annotations

import inspect
import io

import pytest

from builder.engine.base import BuildFailed, BuildRequest, ContainerRequest, Engine, Event, Note, Output
from builder.engine.docker_sdk import DockerEngine
from builder.errors import WsbError
from tests.fakes.engine import FakeEngine, Ran

METHODS = [name for name, _ in inspect.getmembers(Engine, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [DockerEngine, FakeEngine])
@pytest.mark.parametrize("method", METHODS)
def test_every_engine_has_the_protocol_s_methods(kind: type, method: str) -> None:
    ours, wanted = inspect.signature(getattr(kind, method)), inspect.signature(getattr(Engine, method))
    assert list(ours.parameters) == list(wanted.parameters)


def test_a_build_plays_its_events_and_holds_the_image() -> None:
    engine: Engine = FakeEngine(events=[Note(text="x")], labels={"a": "1"})
    events: list[Event] = []
    engine.build(BuildRequest(tag="t", context=lambda: io.BytesIO(b"tar")), events.append)
    assert events == [Note(text="x")]
    assert [one.tags for one in engine.images("a=1")] == [("t",)]
    assert engine.images("a=2") == ()


def test_a_build_that_is_told_to_fail_tags_nothing() -> None:
    engine = FakeEngine()
    engine.fail("build", BuildFailed("build-failed", "no"))
    with pytest.raises(BuildFailed):
        engine.build(BuildRequest(tag="t", context=lambda: io.BytesIO(b"")), lambda _: None)
    assert engine.image("t") is None


def test_a_pull_finds_only_what_can_be_pulled() -> None:
    engine = FakeEngine(pullable=["a"])
    assert engine.pull("a", "", lambda _: None).tags == ("a",)
    with pytest.raises(WsbError) as caught:
        engine.pull("b", "", lambda _: None)
    assert caught.value.code == "base-unreachable"


def test_commands_do_what_was_written_for_them() -> None:
    engine = FakeEngine(runs=[Ran(stdout=b"hi", code=3)])
    pieces: list[Output] = []
    request = ContainerRequest(image="t", command=["x"])
    assert engine.run(request, pieces.append) == 3
    assert pieces == [Output(is_stderr=False, data=b"hi")]
    assert engine.run(request, pieces.append) == 0
    assert engine.requests("run") == [request, request]
