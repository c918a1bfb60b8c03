"""What an image stands on: found, pulled, pulled from a mirror, and in a locked build exactly the locked one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builder.errors import WsbError
from builder.grounding import base_of, locked_base, repository_of
from builder.locking import _base
from builder.model.lock import LockedBase
from builder.model.plan import Plan
from tests.fakes.engine import FakeEngine
from tests.unit.lock.locks import plan

IMAGE = "debian:bookworm-slim"
DIGEST = "sha256:" + "5" * 64
LAYERS = ("sha256:" + "7" * 64,)
DATE = "20261125T194400Z"


def on_registry(registry: str | None = None) -> Plan:
    made = plan("name: one\ntorch: none\n")
    assert made.base.image == IMAGE
    return replace(made, sources=replace(made.sources, registry=registry))


def nothing(_: object) -> None:
    pass


def test_a_mirror_is_asked_and_the_image_keeps_its_own_name() -> None:
    engine = FakeEngine(pullable=["mirror.example.org/library/debian:bookworm-slim"])
    base_of(engine, on_registry("mirror.example.org"), {}, nothing)
    assert engine.image(IMAGE) is not None


@pytest.mark.parametrize("name", ["debian", "mirror.example.org/library/debian"])
def test_a_base_is_locked_by_its_digest_from_wherever_it_was_pulled(name: str) -> None:
    base = FakeEngine().hold(IMAGE, digests=("other@sha256:0", f"{name}@{DIGEST}"), layers=LAYERS)
    assert _base(on_registry("mirror.example.org"), base) == LockedBase(image=IMAGE, digest=DIGEST, layers=LAYERS)


def test_a_held_image_with_the_locked_layers_is_taken_without_asking_anybody() -> None:
    engine = FakeEngine(pullable=[])
    held = engine.hold(IMAGE, layers=LAYERS)
    found, name = locked_base(engine, on_registry(), LockedBase(image=IMAGE, digest=DIGEST, layers=LAYERS), DATE, {}, nothing)
    assert found.id == held.id
    assert name.startswith("wsb/base:locked-")
    assert engine.image(name) is not None


def test_one_with_other_layers_is_not_and_the_locked_one_is_pulled_by_its_digest() -> None:
    engine = FakeEngine()
    engine.hold(IMAGE, layers=("sha256:newer",))
    locked = LockedBase(image=IMAGE, digest=DIGEST, layers=LAYERS)
    engine.pull = lambda reference, *_: engine.hold(reference, layers=LAYERS)  # type: ignore[method-assign]
    found, _ = locked_base(engine, on_registry(), locked, DATE, {}, nothing)
    assert found.layers == LAYERS
    assert f"debian@{DIGEST}" in engine.held


@pytest.mark.parametrize("digest", [DIGEST, ""])
def test_another_content_than_the_locked_one_is_refused_with_both(digest: str) -> None:
    locked = LockedBase(image=IMAGE, digest=digest, layers=LAYERS)
    with pytest.raises(WsbError) as caught:
        locked_base(FakeEngine(), on_registry(), locked, DATE, {}, nothing)
    assert caught.value.code == "content-differs"
    assert LAYERS[0] in caught.value.details[0]
    assert any("--bundle" in hint for hint in caught.value.hints)


def test_a_port_is_no_tag() -> None:
    assert repository_of("localhost:5000/lab/base") == "localhost:5000/lab/base"
    assert repository_of("localhost:5000/lab/base:1") == "localhost:5000/lab/base"
    assert repository_of(f"debian@{DIGEST}") == "debian"
