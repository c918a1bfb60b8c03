"""The torch image: what its name says, whether an image is it, and how it comes from a registry; on an engine in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from builder import pipeline
from builder.engine.base import BuildRequest, ImageInfo, Note
from builder.errors import WsbError
from builder.making import Maker
from builder.model.plan import Plan
from builder.sharing import TorchImage, elsewhere, torch_image_of
from tests.fakes.engine import FakeEngine
from tests.support.index import make_wheel
from tests.unit.lock.locks import plan

REGISTRY = "registry.example.org/lab"
BASE = "debian:bookworm-slim"
LAYERS = ("sha256:base", "sha256:os", "sha256:torch")


@pytest.fixture
def made() -> Plan:
    return plan('name: one\ntorch: "2.6.0"\npython: "3.11"\naccelerator: cpu\npackages: {pip: [tqdm]}\n')


@pytest.fixture
def engine() -> FakeEngine:
    found = FakeEngine(pullable=[])
    found.hold(BASE, layers=LAYERS[:1])
    return found


def wanted(plan: Plan, base: ImageInfo) -> TorchImage:
    return torch_image_of(plan, pipeline.render(plan), base)


def of(engine: FakeEngine, plan: Plan) -> TorchImage:
    base = engine.image(BASE)
    assert base is not None
    return wanted(plan, base)


def has(engine: FakeEngine, **more: object) -> None:
    """Every pull finds this."""
    facts = {"layers": LAYERS, **more}
    engine.pull = lambda reference, *_: engine.hold(reference, **facts)  # type: ignore[method-assign]


def build(engine: FakeEngine, plan: Plan, registry: str = REGISTRY, **more: bool) -> tuple[Maker, list[str]]:
    told: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, Note):
            told.append(event.text)

    return Maker(engine=engine, environ={"HOME": "/nowhere"}, listener=listen, registry=registry, **more), told  # type: ignore[arg-type]


def targets(engine: FakeEngine) -> list[str]:
    return [request.target for request in engine.requests("build") if isinstance(request, BuildRequest)]


def test_the_name_says_the_choice_and_ends_in_the_beginning_of_the_label(engine: FakeEngine, made: Plan) -> None:
    image = of(engine, made)
    start = "wsb/torch:2.6.0-cpu-py3.11-miniconda-"
    assert image.name == start + image.digest.removeprefix("sha256:")[:12]
    assert image.labels == {"dev.wsb.torch-image": image.digest}
    assert elsewhere("registry.lab:5000/team/", image.name) == f"registry.lab:5000/team/{image.name}"


def test_what_a_project_adds_changes_no_name(engine: FakeEngine, made: Plan) -> None:
    other = plan('name: other\ntorch: "2.6.0"\npython: "3.11"\naccelerator: cpu\nuser: {name: ada}\npackages: {apt: [git]}\n')
    assert of(engine, other) == of(engine, made)


def test_a_base_made_on_another_day_from_the_same_packages_is_the_same(engine: FakeEngine, made: Plan) -> None:
    base = engine.hold(BASE, layers=LAYERS[:1])
    again = replace(base, id="sha256:" + "9" * 64, created="2027-01-01T00:00:00Z", tags=(), digests=("x@sha256:1",))
    assert wanted(made, again).name == wanted(made, base).name


@pytest.mark.parametrize("change", [{"layers": ("sha256:newer",)}, {"env": ("A=1",)}, {"labels": {"a": "b"}}, {"user": "x"}])
def test_a_base_that_a_build_would_see_otherwise_is_another(made: Plan, engine: FakeEngine, change: dict[str, object]) -> None:
    base = engine.hold(BASE, layers=LAYERS[:1])
    assert wanted(made, replace(base, **change)).name != wanted(made, base).name  # type: ignore[arg-type]


def test_a_local_wheel_of_other_content_under_the_same_file_name_is_another(
    engine: FakeEngine, made: Plan, tmp_path: Path
) -> None:
    assert made.torch is not None
    names = set()
    for folder, padding in (("a", 32), ("b", 64), ("c", 32)):
        (tmp_path / folder).mkdir()
        wheel = make_wheel(tmp_path / folder, "torch", "2.6.0+cpu", padding=padding)
        from_wheel = replace(
            made,
            torch=replace(made.torch, wheel=wheel.name),
            sources=replace(made.sources, torch=str(tmp_path / folder)),
        )
        names.add(of(engine, from_wheel).name)
    assert len(names) == 2


def test_a_registry_that_has_it_spares_the_torch_step(engine: FakeEngine, made: Plan, tmp_path: Path) -> None:
    image = of(engine, made)
    has(engine, labels=image.labels)
    maker, told = build(engine, made)
    built = maker.build(made, pipeline.render(made), tmp_path)
    assert (built.torch_image, built.was_new, built.torch_from) == (image.name, False, REGISTRY)
    assert targets(engine) == [""]
    assert told == [f"took {image.name} from {REGISTRY}"]
    assert set(engine.held) == {BASE, image.name, "one:latest"}  # under no name of the registry


def test_one_that_is_here_is_taken_without_asking_the_registry(engine: FakeEngine, made: Plan) -> None:
    image = of(engine, made)
    engine.hold(image.name, labels=image.labels, layers=LAYERS)
    maker, _ = build(engine, made)
    assert maker.torch_image(made, pipeline.render(made)).was_new is False
    assert engine.requests("pull") == []
    assert engine.requests("build") == []


def test_a_registry_without_it_is_a_note_and_it_is_built(engine: FakeEngine, made: Plan) -> None:
    maker, told = build(engine, made)
    shared = maker.torch_image(made, pipeline.render(made))
    assert (shared.was_new, shared.pulled_from) == (True, "")
    assert targets(engine) == ["torch"]
    assert told[0].startswith(f"not taken from a registry: {REGISTRY}/wsb/torch:")
    assert engine.held[shared.name].labels == of(engine, made).labels


def test_no_registry_is_asked_where_none_is_named(engine: FakeEngine, made: Plan) -> None:
    maker, _ = build(engine, made, registry="")
    assert maker.torch_image(made, pipeline.render(made)).was_new
    assert engine.requests("pull") == []


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (lambda _: {"labels": {}}, "is missing, not sha256:"),
        (lambda image: {"labels": image.labels, "layers": ("sha256:newer", *LAYERS[1:])}, "does not stand on the base"),
        (lambda image: {"labels": image.labels, "platform": "linux/arm64"}, "made for linux/arm64"),
    ],
)
def test_an_image_that_is_not_what_its_name_says_is_refused_and_not_kept(
    engine: FakeEngine, made: Plan, found: Callable[[TorchImage], dict[str, object]], why: str
) -> None:
    image = of(engine, made)
    has(engine, **found(image))
    maker, _ = build(engine, made)
    with pytest.raises(WsbError) as caught:
        maker.torch_image(made, pipeline.render(made))
    assert caught.value.code == "content-differs"
    assert why in caught.value.details[0]
    assert f"--push {REGISTRY}" in caught.value.hints[0]
    assert list(engine.held) == [BASE]


def test_a_name_that_somebody_gave_to_another_image_here_is_seen_and_made_again(engine: FakeEngine, made: Plan) -> None:
    image = of(engine, made)
    engine.hold(image.name)
    maker, told = build(engine, made, registry="")
    assert maker.torch_image(made, pipeline.render(made)).was_new
    assert "is not what its name says" in told[0]


def test_platforms_with_a_variant_are_the_same(engine: FakeEngine, made: Plan) -> None:
    arm = of(engine, replace(made, platform="linux/arm64"))
    assert arm.differs(engine.hold("x", labels=arm.labels, layers=LAYERS, platform="linux/arm64/v8")) == ""
