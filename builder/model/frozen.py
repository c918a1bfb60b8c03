"""`@frozen`: a class of `@dataclass(frozen=True, slots=True, kw_only=True)`, made without compiling text.

dataclasses writes its functions for each class as source and compiles them, about 0.9 ms a class; the nouns a plan needs are
some eighty classes, so that was a quarter of what `wsb plan` takes. Here they are written once, over the
class's fields. What type checkers see, `fields`, `replace` and `asdict` are as with dataclasses.

Small values are `@frozen(kw_only=False)`, given by position, and with `order=True` compared field by field.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Any:
        return lambda decorator: decorator


T = TypeVar("T")
_set = object.__setattr__


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, kw_only: bool = True, order: bool = False) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True)
def frozen(cls: type[Any] | None = None, /, *, kw_only: bool = True, order: bool = False) -> Any:
    """The class with fields that are given once and never change; equal when all of them are."""
    methods = _METHODS | (_BY_NAME if kw_only else _BY_PLACE) | (_ORDER if order else {})

    def make(cls: type[T]) -> type[T]:
        for name, method in methods.items():
            if getattr(cls, name, None) is getattr(object, name, None):  # neither its own nor inherited
                setattr(cls, name, method)
        cls.__doc__ = cls.__doc__ or ""  # else dataclasses spends as long on making one up
        return dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)

    return make if cls is None else make(cls)


def _fields(thing: Any) -> dict[str, Field[Any]]:
    found: dict[str, Field[Any]] = thing.__dataclass_fields__
    return found


def _values(thing: Any) -> tuple[Any, ...]:
    return tuple([getattr(thing, name) for name in _fields(thing)])


def _init(self: Any, **given: Any) -> None:
    fields = _fields(self)
    missing = []
    for name, field in fields.items():
        if name in given:
            _set(self, name, given[name])
        elif field.default is not MISSING:
            _set(self, name, field.default)
        elif field.default_factory is not MISSING:
            _set(self, name, field.default_factory())
        else:
            missing.append(name)
    unknown = given.keys() - fields.keys()
    if missing or unknown:
        wrong = [*(f"misses {name}" for name in missing), *(f"has no field {name}" for name in sorted(unknown))]
        raise TypeError(f"{type(self).__name__} {', '.join(wrong)}")
    after = getattr(self, "__post_init__", None)
    if after is not None:
        after()


def _init_by_place(self: Any, *given: Any, **named: Any) -> None:
    fields = _fields(self)
    if len(given) > len(fields):
        raise TypeError(f"{type(self).__name__} has {len(fields)} fields, not {len(given)}")
    _init(self, **dict(zip(fields, given, strict=False)), **named)


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _fields(self))
    return f"{type(self).__qualname__}({shown})"


def _hash(self: Any) -> int:
    return hash(_values(self))


def _restore(self: Any, state: tuple[None, dict[str, Any]]) -> None:
    """What copy and pickle took from the slots."""
    for name, value in state[1].items():
        _set(self, name, value)


def _refuse_set(_self: Any, name: str, _value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _comparing(compare: Callable[[Any, Any], Any]) -> Callable[[Any, object], Any]:
    def method(self: Any, other: object) -> Any:
        return compare(_values(self), _values(other)) if other.__class__ is self.__class__ else NotImplemented

    return method


_METHODS = {
    "__repr__": _repr,
    "__eq__": _comparing(operator.eq),
    "__hash__": _hash,
    "__setstate__": _restore,
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
}
_BY_NAME = {"__init__": _init}
_BY_PLACE = {"__init__": _init_by_place}
_ORDER = {f"__{name}__": _comparing(getattr(operator, name)) for name in ("lt", "le", "gt", "ge")}
