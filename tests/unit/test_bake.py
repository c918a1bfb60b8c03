"""One bake file for many workspaces."""

from __future__ import annotations

from builder import pipeline
from builder.render.bake import Baked, bake_document
from tests.unit.lock.locks import plan


def baked(text: str, directory: str) -> Baked:
    made = plan(text)
    return Baked(plan=made, files=pipeline.render(made), directory=directory)


ONE = 'name: one\ntorch: "2.6.0"\npython: "3.11"\npackages: {pip: [tqdm]}\n'
TWO = 'name: two\ntorch: "2.6.0"\npython: "3.11"\nuser: {name: ada, uid: 1234}\n'
THREE = 'name: three\ntorch: "2.7.0"\npython: "3.11"\n'


def test_projects_with_the_same_torch_stand_on_one_target() -> None:
    document = bake_document([baked(TWO, "b"), baked(ONE, "a"), baked(THREE, "c")])
    targets = document["target"]
    shared = [name for name in targets if name.startswith("torch-")]
    assert len(shared) == 2
    assert targets["one"]["contexts"] == targets["two"]["contexts"] != targets["three"]["contexts"]
    assert document["group"]["default"]["targets"] == ["one", "three", "two"]
    assert targets[targets["one"]["contexts"]["wsb-shared"].removeprefix("target:")]["target"] == "torch"


def test_the_order_in_which_they_are_named_does_not_show() -> None:
    one, two = baked(ONE, "a"), baked(THREE, "c")
    assert bake_document([one, two]) == bake_document([two, one])


def test_without_torch_there_is_nothing_to_share() -> None:
    document = bake_document([baked("name: four\ntorch: none\n", "d")], registry="registry.example.org/lab/")
    assert list(document["target"]) == ["four"]
    assert document["target"]["four"]["tags"] == ["registry.example.org/lab/four:latest"]
