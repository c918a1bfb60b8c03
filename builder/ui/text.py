"""Text for a terminal's columns: what programs print made harmless, and cut to a width that counts wide letters twice."""

from __future__ import annotations

import re
import unicodedata

# CSI and OSC sequences, then the two-letter escapes: colours, cursor movements, titles, links
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|\x1b$|\x9b[0-?]*[ -/]*[@-~]"
)
_TAB = 8


def plain(text: str) -> str:
    """One line as it would look: no escapes, no control characters; of a line drawn over with \\r the last drawing."""
    text = _ESCAPES.sub("", text)
    text = text.rstrip("\r\n").rsplit("\r", 1)[-1]
    text = text.expandtabs(_TAB)
    return "".join(char for char in text if not unicodedata.category(char).startswith("C") or char == "\u200d")


def width(text: str) -> int:
    """How many columns this takes on a terminal. text: as `plain` gives it."""
    return sum(map(_columns, text))


def fit(text: str, columns: int) -> str:
    """text in at most so many columns, "…" at its end when something was cut off."""
    if width(text) <= columns:
        return text
    kept: list[str] = []
    left = columns - 1
    for char in text:
        left -= _columns(char)
        if left < 0:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…" if columns > 0 else ""


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def as_bytes(current: int, total: int = 0) -> str:
    """An amount as people read it: "123/192 MB", "1.2/2.5 GB", "17 kB"; without a total the first number alone."""
    biggest = max(current, total)
    power, unit = next(
        (power, unit) for power, unit in ((3, "GB"), (2, "MB"), (1, "kB"), (0, "B")) if biggest >= 1000**power or power == 0
    )
    digits = 1 if power and biggest < 10 * 1000**power else 0
    numbers = [current, total] if total else [current]
    return "/".join(f"{number / 1000**power:.{digits}f}" for number in numbers) + f" {unit}"


def as_seconds(seconds: float) -> str:
    """A duration as people read it: "0.4s", "12s", "3m 05s", "1h 02m"."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
