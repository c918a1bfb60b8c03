"""Where everything that wsb says goes: the product to standard output, all else to standard error.

Errors are drawn in one shape, for people and for scripts. Colour only repeats what the words say already; NO_COLOR,
TERM=dumb and anything that is no terminal switch it off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from builder.engine.base import BuildFailed
from builder.errors import Problems, WsbError
from builder.ui.text import plain

SCHEMA: Final = "wsb.error/1"
_RED: Final = "\x1b[1;31m"
_YELLOW: Final = "\x1b[1;33m"
_CYAN: Final = "\x1b[1;36m"
_RESET: Final = "\x1b[0m"


class Console:
    """is_tty: whether standard error is a terminal; the live display needs one."""

    def __init__(self, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str], is_tty: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._environ = environ
        self.is_live = is_tty and environ.get("TERM") != "dumb"
        self.has_colour = self.is_live and not environ.get("NO_COLOR")

    @property
    def width(self) -> int:
        """Columns of the terminal as it is now; 80 where there is none."""
        return self._size()[0]

    @property
    def height(self) -> int:
        return self._size()[1]

    def product(self, text: str) -> None:
        """What the command was run for: a path, an id, a rendered file."""
        _write(self._stdout, text if text.endswith("\n") else text + "\n")

    def document(self, document: Mapping[str, Any]) -> None:
        """The product as one JSON document."""
        self.product(json.dumps(document, indent=2, ensure_ascii=False))

    def line(self, text: str = "") -> None:
        """A line for the person who watches."""
        self.write(text + "\n")

    def warn(self, message: str, hints: Sequence[str] = ()) -> None:
        self.line(f"{self._painted('warning:', _YELLOW)} {plain(message)}")
        for hint in hints:
            self.line(f"{self._painted('hint:', _CYAN)} {plain(hint)}")

    def error(self, error: WsbError | Problems) -> None:
        """One error, or all that were found, an empty line between them."""
        errors = error.errors if isinstance(error, Problems) else [error]
        for number, one in enumerate(errors):
            if number:
                self.line()
            for line in error_lines(one):
                for word, colour in (("error:", _RED), ("hint:", _CYAN)):
                    if line.startswith(word):
                        line = self._painted(word, colour) + line[len(word) :]
                self.line(line)

    def write(self, text: str) -> None:
        """To standard error as it is, control characters too; for the live display."""
        _write(self._stderr, text)

    def _painted(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self.has_colour else text

    def _size(self) -> tuple[int, int]:
        try:
            columns, lines = os.get_terminal_size(self._stderr.fileno())
        except (OSError, ValueError, AttributeError):  # no terminal, a closed file, a stream of a test
            columns, lines = 0, 0
        return columns or _number(self._environ.get("COLUMNS"), 80), lines or _number(self._environ.get("LINES"), 24)


def error_lines(error: WsbError) -> Iterator[str]:
    """An error as people read it: what, where, what exists instead, an empty line, the next steps."""
    first, *more = error.message.splitlines() or [""]
    yield f"error: {plain(first)}"
    if error.where:
        yield f"  --> {error.where}"
    for line in [*more, *error.details]:
        yield f"   {plain(line)}".rstrip()
    if error.hints:
        yield ""
    for hint in error.hints:
        yield f"hint: {plain(hint)}"


def error_document(error: WsbError | Problems) -> dict[str, Any]:
    """wsb.error/1. Of several the first one's fields, and all of them under `errors`."""
    if isinstance(error, Problems):
        return {"schema": SCHEMA, **_fields(error.errors[0]), "errors": [_fields(one) for one in error.errors]}
    return {"schema": SCHEMA, **_fields(error)}


def _fields(error: WsbError) -> dict[str, Any]:
    fields: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.where:
        where = {"file": error.where.file, "line": error.where.line, "column": error.where.column}
        fields["where"] = {key: value for key, value in where.items() if value}
    fields["hints"] = list(error.hints)
    if error.details:
        fields["details"] = [plain(line) for line in error.details]
    if isinstance(error, BuildFailed):
        step = {"step": error.step_name, "exit_code": error.step_exit_code, "host": error.host}
        fields |= {key: value for key, value in step.items() if value not in ("", None)}
    return fields


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) else otherwise


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a terminal that cannot show a letter shows "?" instead
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
