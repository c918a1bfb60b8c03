"""A Jupyter notebook's text → its code cells, and the install lines among them. Outputs are never looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from builder.model.frozen import frozen

MAX_BYTES = 10 << 20  # notebooks carry pictures; more than this says nothing more about imports
MAX_CELLS = 5000

_PYTHON_CELL = re.compile(r"%%(time|timeit|capture|prun|python3?|py|pypy|skip_run|debug)\b")
_SHELL_CELL = re.compile(r"%%(bash|sh|script|shell|!)")


@frozen
class Cell:
    """A code cell. file: the notebook with the cell's number, as ruff writes it. code: plain Python, line for line.

    shell: the lines that IPython hands to a shell or to pip and conda, each with its line number.
    """

    file: str
    code: str
    shell: tuple[tuple[int, str], ...] = ()


def read_notebook(text: str, file: str) -> tuple[Cell, ...]:
    """The code cells, with IPython's own syntax blanked out. () for what is no notebook."""
    if len(text) > MAX_BYTES:
        return ()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    cells = [cell for cell in _cells(document) if cell.get("cell_type") == "code"][:MAX_CELLS]
    return tuple(_cell(_source(cell), f"{file}:cell {number}") for number, cell in enumerate(cells, 1))


def _cells(document: Any) -> Iterator[dict[str, Any]]:
    """Cells of nbformat 4, or of the worksheets of nbformat 3."""
    if not isinstance(document, dict):
        return
    sheets = document.get("worksheets")
    for holder in (document, *(sheets if isinstance(sheets, list) else ())):
        found = holder.get("cells") if isinstance(holder, dict) else None
        yield from (cell for cell in (found if isinstance(found, list) else ()) if isinstance(cell, dict))


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _cell(source: str, file: str) -> Cell:
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if _SHELL_CELL.match(lines[first]):
        return Cell(file=file, code="", shell=tuple(enumerate(lines[first + 1 :], first + 2)))
    if lines[first].startswith("%%") and not _PYTHON_CELL.match(lines[first]):
        return Cell(file=file, code="")
    code: list[str] = []
    shell: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        bare = line.lstrip()
        if bare.startswith(("!", "%", "?")) or (bare.endswith("?") and re.fullmatch(r"[\w.]+\?{1,2}", bare)):
            code.append(line[: len(line) - len(bare)] + "pass")
            if bare.startswith(("!", "%pip", "%conda", "%mamba")):
                shell.append((number, bare.lstrip("!%")))
        else:
            code.append(line)
    return Cell(file=file, code="\n".join(code), shell=tuple(shell))
