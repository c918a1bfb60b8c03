"""A terminal small enough to read: what a display writes, as it would stand on the screen."""

from __future__ import annotations

import io
import re

from builder.ui.text import width

_TOKEN = re.compile(r"\x1b\[(?P<args>[0-9;?]*)(?P<end>[A-Za-z])|(?P<char>.)", re.DOTALL)


class Screen(io.StringIO):
    """Understands letters, line ends, "cursor up", "erase below", colours and hiding the cursor; refuses all else."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        super().__init__()
        self.columns, self.lines = columns, lines
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0
        self.is_cursor_shown = True
        self.frames = 0
        self.widest = 0

    @property
    def text(self) -> str:
        """All that was ever scrolled up and all that is seen, without trailing blanks."""
        return "\n".join("".join(row).rstrip() for row in self.rows).rstrip("\n")

    def write(self, text: str) -> int:
        self.frames += 1
        for token in _TOKEN.finditer(text):
            if token["char"]:
                self._put(token["char"])
            else:
                self._control(token["args"], token["end"])
        return len(text)

    def _put(self, char: str) -> None:
        if char == "\n":  # a terminal in its usual mode goes to the first column as well
            self._down()
            self.column = 0
        elif char == "\r":
            self.column = 0
        else:
            assert char >= " ", f"control character {char!r} on the screen"
            cells = width(char)
            if self.column + cells > self.columns:
                self._down()
                self.column = 0
            row = self.rows[self.row]
            row.extend(" " * (self.column + cells - len(row)))
            if cells:
                row[self.column] = char
                if cells == 2:
                    row[self.column + 1] = ""
            elif self.column:
                row[self.column - 1] += char
            self.column += cells
            self.widest = max(self.widest, self.column)

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    def _control(self, args: str, end: str) -> None:
        if end == "A":
            top = max(0, len(self.rows) - self.lines)
            self.row = max(top, self.row - int(args or 1))
        elif end == "J" and args in ("", "0"):
            del self.rows[self.row + 1 :]
            del self.rows[self.row][self.column :]
        elif end in "lh" and args == "?25":
            self.is_cursor_shown = end == "h"
        else:
            assert end == "m", f"unknown control sequence {args}{end}"
