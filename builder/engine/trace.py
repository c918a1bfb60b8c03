"""BuildKit's progress as an engine sends it: a protobuf message decoded with nothing but the standard library.

In comes the `aux` of a `moby.buildkit.trace` line, base64 of a moby.buildkit.v1.StatusResponse; out come vertexes (steps),
statuses (bytes inside a step), logs and warnings. Fields this file does not know are skipped, so a newer engine is read too.
Source: moby/buildkit, api/services/control/control.proto.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from builder.model.frozen import frozen

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5

_Value = int | bytes
_Field = tuple[int, _Value]


@frozen
class Vertex:
    """One step. started, completed: nanoseconds since 1970 by the engine's clock, None when that has not happened."""

    digest: str
    name: str = ""
    is_cached: bool = False
    started: int | None = None
    completed: int | None = None
    error: str = ""


@frozen
class Status:
    """Bytes or parts of something inside a step. total: 0 when not known."""

    id: str
    vertex: str
    name: str = ""
    current: int = 0
    total: int = 0
    started: int | None = None
    completed: int | None = None


@frozen
class Log:
    """What a step printed. stream: 1 standard output, 2 standard error."""

    vertex: str
    stream: int = 0
    data: bytes = b""


@frozen
class Warned:
    """Advice of the builder about the Dockerfile."""

    vertex: str
    short: str = ""


@frozen
class StatusResponse:
    """One message of the trace."""

    vertexes: tuple[Vertex, ...] = ()
    statuses: tuple[Status, ...] = ()
    logs: tuple[Log, ...] = ()
    warnings: tuple[Warned, ...] = ()


def decode_aux(aux: str) -> StatusResponse:
    """The message in the `aux` of one line of the stream. Raises ValueError when it is not one."""
    try:
        return decode(base64.b64decode(aux, validate=True))
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None


def decode(message: bytes) -> StatusResponse:
    """The message in these bytes. Raises ValueError when they are cut off or are no protobuf."""
    vertexes: list[Vertex] = []
    statuses: list[Status] = []
    logs: list[Log] = []
    warnings: list[Warned] = []
    for number, value in _fields(message):
        if not isinstance(value, bytes):
            continue
        if number == 1:
            vertexes.append(_vertex(value))
        elif number == 2:
            statuses.append(_status(value))
        elif number == 3:
            logs.append(_log(value))
        elif number == 4:
            warnings.append(_warning(value))
    return StatusResponse(vertexes=tuple(vertexes), statuses=tuple(statuses), logs=tuple(logs), warnings=tuple(warnings))


def _vertex(message: bytes) -> Vertex:
    fields = dict(_fields(message))  # the last one wins, as protobuf has it; the repeated inputs (2) are not needed
    return Vertex(
        digest=_text(fields, 1),
        name=_text(fields, 3),
        is_cached=bool(_number(fields, 4)),
        started=_time(fields, 5),
        completed=_time(fields, 6),
        error=_text(fields, 7),
    )


def _status(message: bytes) -> Status:
    fields = dict(_fields(message))
    return Status(
        id=_text(fields, 1),
        vertex=_text(fields, 2),
        name=_text(fields, 3),
        current=_number(fields, 4),
        total=_number(fields, 5),
        started=_time(fields, 7),
        completed=_time(fields, 8),
    )


def _log(message: bytes) -> Log:
    fields = dict(_fields(message))
    data = fields.get(4, b"")
    return Log(vertex=_text(fields, 1), stream=_number(fields, 3), data=data if isinstance(data, bytes) else b"")


def _warning(message: bytes) -> Warned:
    fields = dict(_fields(message))
    return Warned(vertex=_text(fields, 1), short=_text(fields, 3))


def _text(fields: dict[int, _Value], number: int) -> str:
    value = fields.get(number, b"")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _number(fields: dict[int, _Value], number: int) -> int:
    """A signed 64-bit number, 0 when absent."""
    value = fields.get(number, 0)
    if not isinstance(value, int):
        return 0
    return value - (1 << 64) if value >= 1 << 63 else value


def _time(fields: dict[int, _Value], number: int) -> int | None:
    """A google.protobuf.Timestamp (seconds 1, nanoseconds 2) in nanoseconds."""
    value = fields.get(number)
    if not isinstance(value, bytes):
        return None
    parts = dict(_fields(value))
    return _number(parts, 1) * 1_000_000_000 + _number(parts, 2)


def _fields(message: bytes) -> Iterator[_Field]:
    """Number and value of each field; a number for varints and fixed widths, bytes for all else."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError(f"field number 0 at byte {at}")
        value: _Value
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind == _BYTES:
            size, at = _varint(message, at)
            value, at = _take(message, at, size)
        elif kind in (_FIXED64, _FIXED32):
            raw, at = _take(message, at, 8 if kind == _FIXED64 else 4)
            value = int.from_bytes(raw, "little")
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        yield number, value


def _take(message: bytes, at: int, size: int) -> tuple[bytes, int]:
    end = at + size
    if end > len(message):
        raise ValueError(f"cut off: {size} bytes wanted at byte {at} of {len(message)}")
    return message[at:end], end


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The value and where the next one begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError(f"cut off inside a number at byte {at}")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), at
    raise ValueError(f"a number longer than 64 bits at byte {at}")
