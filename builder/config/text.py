"""Bytes of a file people wrote → text. Editors and shells save UTF-8, UTF-8 with a mark, or UTF-16 (PowerShell's `>`)."""

from __future__ import annotations

import codecs

from builder.errors import WsbError
from builder.model.values import Location

MAX_BYTES = 1 << 20  # far above any file a person writes; below what makes a parser slow

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins the same
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(content: bytes, file: str) -> str:
    """The text of a file, without its byte order mark.

    Raises WsbError (bad-value) when it is larger than 1 MiB or not text in UTF-8 or marked UTF-16.
    """
    check_size(len(content), file)
    mark, encoding = mark_of(content)
    content = content[len(mark) :]
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(encoding, "replace").count("\n") + 1
        raise WsbError(
            "bad-value",
            f"{file} is not UTF-8 text: the byte 0x{content[error.start]:02x} in line {line} does not belong there",
            Location(file=file, line=line),
            hints=("save it as UTF-8 (in most editors: Save with Encoding)",),
        ) from None


def decode_loosely(content: bytes, file: str) -> tuple[str, Location | None]:
    """The text with every undecodable byte replaced by U+FFFD, and the line of the first of them.

    For files of other people, where a comment in another encoding should not stop anyone.
    Raises WsbError only for the size.
    """
    try:
        return decode(content, file), None
    except WsbError as error:
        if len(content) > MAX_BYTES:
            raise
        encoding = encoding_of(content)
        return content.decode(encoding, "replace").removeprefix("\ufeff"), error.where


def mark_of(content: bytes) -> tuple[bytes, str]:
    """The byte order mark at the beginning, b"" without one, and the encoding of what follows."""
    for mark, marked in _MARKS:
        if content.startswith(mark):
            return mark, marked
    return b"", encoding_of(content)


def encoding_of(content: bytes) -> str:
    """What the byte order mark says; UTF-16 without one is known by its zero bytes; else UTF-8."""
    for mark, marked in _MARKS:
        if content.startswith(mark):
            return marked
    if len(content) >= 4 and len(content) % 2 == 0 and b"\0" in content[:64]:
        evens, odds = content[0:64:2], content[1:64:2]
        if not any(odds) and all(evens):
            return "utf-16-le"
        if not any(evens) and all(odds):
            return "utf-16-be"
    return "utf-8"


def check_size(size_bytes: int, file: str) -> None:
    """Raises WsbError when a file is larger than any that people write by hand."""
    if size_bytes > MAX_BYTES:
        raise WsbError(
            "bad-value",
            f"{file} has {size_bytes:,} bytes; at most {MAX_BYTES:,} are read",
            Location(file=file),
            hints=("is it the right file?",),
        )
