"""What a value of wsb.yaml may look like. The table of keys is made of these; the reader and the schema walk it.

A kind knows how to read itself from text, what to say when something else stands there, and its JSON Schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from builder.config.suggest import as_yaml, nearest
from builder.model.frozen import frozen

Scalar = str | int | bool


class RefusedError(ValueError):
    """A text that is not such a value. message: what is wrong with it. hint: what to write instead, one sentence."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@frozen
class Text:
    """One scalar.

    expected: what it is, in words ("a version of Python"). examples: at least one, as the value itself.
    parse: text as written → value. Raises RefusedError.
    schema: JSON Schema of the value; every text it admits, parse admits too, unless is_looser.
    is_looser: whether the schema admits texts that parse refuses (what no regular expression can tell).
    """

    expected: str
    examples: tuple[Scalar, ...]
    parse: Callable[[str], Any]
    schema: Mapping[str, Any]
    is_looser: bool = False


@frozen
class Many:
    """A list of one kind of scalar."""

    item: Text


@frozen
class Pairs:
    """A mapping whose keys the user chooses."""

    key: Text
    value: Text


@frozen
class Key:
    """One key of wsb.yaml, declared once: the reader, did-you-mean, the schema and the reference are made from this.

    default: the value taken when the key is missing; None when it depends, which the description then tells.
    synonyms: what people write instead.
    """

    name: str
    kind: Kind
    description: str
    default: Any = None
    is_required: bool = False
    synonyms: tuple[str, ...] = ()


@frozen
class Section:
    """A mapping with keys of its own. make: what is made of the values that were written, by key."""

    keys: tuple[Key, ...]
    make: Callable[..., Any]

    def find(self, name: str) -> Key | None:
        return next((key for key in self.keys if key.name == name), None)


@frozen
class TextOrSection:
    """Either of both. from_text: the located value of the text → what the key holds; from_section: same of the section.

    expected: both, in words.
    """

    text: Text
    section: Section
    from_text: Callable[[Any], Any]
    from_section: Callable[[Any], Any]
    expected: str = ""


Kind = Text | Many | Pairs | Section | TextOrSection


def one_of(values: tuple[str, ...], parse: Callable[[str], Any], expected: str, also: Mapping[str, str]) -> Text:
    """A closed set of words. also: other words that people use → the one they mean."""

    def read(text: str) -> Any:
        if text in values:
            return parse(text)
        meant = also.get(text.lower()) or nearest(text, values)
        raise RefusedError(
            f"{as_yaml(text[:40])} is not one of {', '.join(values)}",
            f"did you mean `{meant}`?" if meant else "",
        )

    return Text(expected=expected, examples=values, parse=read, schema={"enum": list(values)})


def text_like(
    expected: str, parse: Callable[[str], Any], *examples: str, pattern: str, is_looser: bool = False, limit: int = 0
) -> Text:
    """A scalar that a pattern describes. limit: the most characters, when there is one."""
    schema: dict[str, Any] = {"type": "string", "pattern": pattern}
    if limit:
        schema["maxLength"] = limit
    return Text(expected=expected, examples=examples, parse=parse, schema=schema, is_looser=is_looser)


def number_up_to(most: int, expected: str, parse: Callable[[str], int], example: int) -> Text:
    """A whole number from 1."""
    return Text(expected=expected, examples=(example,), parse=parse, schema={"type": "integer", "minimum": 1, "maximum": most})
