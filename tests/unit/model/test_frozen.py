"""A frozen class behaves as dataclasses' own do: each question is put to both."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from builder.model.frozen import frozen


@frozen
class Ours:
    """A point with a name."""

    x: int
    name: str = "origin"
    tags: tuple[str, ...] = dataclasses.field(default_factory=tuple)

    @property
    def double(self) -> int:
        return self.x * 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """The same, made by dataclasses."""

    x: int
    name: str = "origin"
    tags: tuple[str, ...] = dataclasses.field(default_factory=tuple)

    @property
    def double(self) -> int:
        return self.x * 2


both = pytest.mark.parametrize("made", [Ours, Theirs])


@both
def test_fields_are_given_by_name_and_have_defaults(made: Any) -> None:
    point = made(x=3)
    assert (point.x, point.name, point.tags, point.double) == (3, "origin", (), 6)


@both
@pytest.mark.parametrize("wrong", [{}, {"x": 1, "y": 2}])
def test_a_field_too_few_or_too_many_is_refused(made: Any, wrong: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        made(**wrong)


@both
def test_positions_are_refused(made: Any) -> None:
    with pytest.raises(TypeError):
        made(3)


@both
def test_nothing_changes_afterwards(made: Any) -> None:
    point = made(x=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
        point.other = 1
    assert not hasattr(point, "__dict__")


@both
def test_equal_values_are_equal_and_hash_alike(made: Any) -> None:
    assert made(x=3) == made(x=3, name="origin")
    assert made(x=3) != made(x=4)
    assert made(x=3) != (3, "origin", ())
    assert len({made(x=3), made(x=3), made(x=4)}) == 2


@both
def test_what_dataclasses_offers_works(made: Any) -> None:
    point = made(x=3)
    assert [field.name for field in dataclasses.fields(point)] == ["x", "name", "tags"]
    assert dataclasses.replace(point, x=9).x == 9
    assert dataclasses.asdict(point) == {"x": 3, "name": "origin", "tags": ()}
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(point)) == point


def test_they_are_shown_alike() -> None:
    assert repr(Ours(x=3)) == repr(Theirs(x=3)).replace("Theirs", "Ours")


def test_a_class_may_look_at_itself_when_it_is_made() -> None:
    @frozen
    class Positive:
        x: int

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError(self.x)

    with pytest.raises(ValueError, match="-1"):
        Positive(x=-1)


def test_a_method_of_the_class_itself_is_kept() -> None:
    @frozen
    class Shown:
        x: int

        def __repr__(self) -> str:
            return "mine"

    assert repr(Shown(x=1)) == "mine"


def test_fields_are_inherited() -> None:
    @frozen
    class More(Ours):
        z: int = 7

    assert (More(x=1).z, More(x=1).name) == (7, "origin")
    assert More(x=1) != Ours(x=1)


@frozen(kw_only=False, order=True)
class OursByPlace:
    """A version."""

    major: int
    minor: int = 0


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class TheirsByPlace:
    """The same, made by dataclasses."""

    major: int
    minor: int = 0


both_by_place = pytest.mark.parametrize("made", [OursByPlace, TheirsByPlace])


@both_by_place
def test_fields_may_be_given_by_position(made: Any) -> None:
    assert made(1, 2) == made(1, minor=2) == made(major=1, minor=2)
    assert made(1) == made(1, 0)


@both_by_place
def test_a_position_too_many_or_a_field_given_twice_is_refused(made: Any) -> None:
    with pytest.raises(TypeError):
        made(1, 2, 3)
    with pytest.raises(TypeError):
        made(1, major=1)
    with pytest.raises(TypeError):
        made()


@both_by_place
def test_order_is_that_of_the_fields(made: Any) -> None:
    assert made(1, 9) < made(2, 0) <= made(2, 0)
    assert made(2, 1) > made(2, 0) >= made(2, 0)
    assert sorted([made(2), made(1, 5), made(1)]) == [made(1), made(1, 5), made(2)]
    with pytest.raises(TypeError):
        made(1) < (1, 0)  # noqa: B015


@both
def test_without_order_nothing_is_less(made: Any) -> None:
    with pytest.raises(TypeError):
        made(x=1) < made(x=2)  # noqa: B015


def test_a_method_that_is_inherited_is_kept() -> None:
    class Named:
        def __repr__(self) -> str:
            return "named"

    @frozen
    class Thing(Named):
        x: int

    assert repr(Thing(x=1)) == "named"
