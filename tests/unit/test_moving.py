"""An image on its way through a registry or a file, on an engine in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import moving
from builder.errors import WsbError
from tests.fakes.engine import FakeEngine

PLAN, LOCK = "sha256:" + "1" * 64, "sha256:" + "2" * 64
LABELS = {moving.PLAN: PLAN, moving.LOCK: LOCK}
REMOTE = f"registry.example.org/lab/one:lock-{'2' * 32}"


def nothing(_: object) -> None:
    pass


def test_an_image_is_pushed_by_its_content_and_by_its_name() -> None:
    engine = FakeEngine()
    image = engine.hold("one:latest", labels=LABELS)
    done = moving.push(engine, image, "registry.example.org/lab/", "one", nothing)
    assert [one.reference for one in done] == [REMOTE, "registry.example.org/lab/one:latest"]
    assert list(engine.held) == ["one:latest"]


def test_an_image_without_a_lock_is_found_by_its_plan() -> None:
    assert moving.content_tag(PLAN, "") == f"plan-{'1' * 32}"


def test_what_a_registry_has_is_taken_and_named() -> None:
    engine = FakeEngine(pullable=[REMOTE])
    engine.pull = lambda reference, *_: engine.hold(reference, labels=LABELS)  # type: ignore[method-assign]
    found = moving.pull_first(engine, "registry.example.org/lab", "one", PLAN, LOCK, "linux/amd64", nothing)
    assert found is not None
    assert list(engine.held) == ["one:latest"]


def test_what_no_registry_has_is_built() -> None:
    told: list[object] = []
    engine = FakeEngine(pullable=[])
    assert moving.pull_first(engine, "registry.example.org", "one", PLAN, LOCK, "linux/amd64", told.append) is None
    assert "not in the registry" in str(told)


def test_an_image_that_is_not_what_its_tag_says_is_refused() -> None:
    engine = FakeEngine()
    engine.pull = lambda reference, *_: engine.hold(  # type: ignore[method-assign]
        reference, labels={moving.PLAN: PLAN, moving.LOCK: "sha256:other"}
    )
    with pytest.raises(WsbError) as caught:
        moving.pull_first(engine, "registry.example.org", "one", PLAN, LOCK, "linux/amd64", nothing)
    assert caught.value.code == "content-differs"


@pytest.mark.parametrize("name", ["one.tar", "one.tar.gz"])
def test_what_is_saved_is_loaded_again(name: str, tmp_path: Path) -> None:
    engine, other = FakeEngine(), FakeEngine()
    moving.save(engine, "one:latest", tmp_path / name)
    assert moving.load(other, tmp_path / name, nothing) == ("one:latest",)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_save_that_fails_leaves_nothing(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.fail("save", WsbError("engine-lost", "gone"))
    with pytest.raises(WsbError):
        moving.save(engine, "one:latest", tmp_path / "one.tar")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WsbError) as caught:
        moving.load(FakeEngine(), tmp_path / "nothing.tar", nothing)
    assert caught.value.code == "no-such-file"
