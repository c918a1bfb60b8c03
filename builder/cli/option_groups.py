"""Options that several verbs take together, handed to each as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def handed_as(name: str, kind: type[Any], options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """A decorator: the command takes these options, and gets them as one argument, a kind with fields of their names."""

    def group(command: F) -> F:
        @functools.wraps(command)
        def with_group(*args: Any, **given: Any) -> Any:
            one = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            return command(*args, **{name: one}, **given)

        made: Any = with_group
        for option in reversed(options):
            made = option(made)
        return made  # type: ignore[no-any-return]

    return group
