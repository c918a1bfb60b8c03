"""What the YAML parser says → what a person would say: one plain sentence, the place, and the usual cause.

Both parsers of PyYAML (libyaml's and its own) are understood; they word the same mistake differently.
"""

from __future__ import annotations

import re

import yaml

from builder.errors import WsbError
from builder.model.values import Location

MAX_DEPTH = 32
TOO_DEEP = f"lists and mappings stand in one another more than {MAX_DEPTH} deep"

_NO_SPACE = r"\s*[\w.-]+:[^\s:/]"  # name:mnist

# (part of the parser's problem or context, our sentence, hint); the first that fits is taken.
_SENTENCES: tuple[tuple[str, str, str], ...] = (
    (
        "mapping values are not allowed",
        "a second `:` stands where only one value can",
        "indent it under its key, or put a text that holds `: ` in quotes",
    ),
    (
        "could not find expected ':'",
        "this line is neither `key: value` nor the item of a list",
        "write a space after the colon",
    ),
    (
        "while scanning a simple key",
        "this line is neither `key: value` nor the item of a list",
        "write a space after the colon",
    ),
    ("while scanning a quoted scalar", "a quote is opened here and never closed", "close it on the same line"),
    (
        "while scanning a double-quoted scalar",
        "inside double quotes a backslash begins an escape, and this one is not known",
        "use single quotes for a text with backslashes",
    ),
    (
        "unknown escape character",
        "inside double quotes a backslash begins an escape, and this one is not known",
        "use single quotes for a text with backslashes",
    ),
    ("while parsing a flow sequence", "a list opened with `[` is not closed, or a comma is missing", "write it as [a, b]"),
    (
        "while parsing a flow mapping",
        "a mapping opened with `{` is not closed, or a comma is missing",
        "write it as {a: 1, b: 2}",
    ),
    ("while parsing a flow node", "something is missing inside the brackets", "write a list as [a, b] and a mapping as {a: 1}"),
    (
        "while parsing a block mapping",
        "this line does not line up with the keys above it",
        "give keys that belong together the same number of spaces; close quotes before anything follows them",
    ),
    (
        "while parsing a block collection",
        "this line does not line up with the `-` items above it",
        "give the items of a list the same number of spaces",
    ),
    ("expected <document start>", "this line does not belong to what stands above it", "check its indentation"),
    ("incompatible YAML document", "the %YAML line asks for a version that is not known", "delete the line"),
    ("while scanning a directive", "a line that begins with % is a directive of YAML", "put the text in quotes"),
    ("while parsing a node", "a tag (`!`) stands here that is not known", "delete it, or put the text in quotes"),
    ("while scanning an anchor", "`&` begins an anchor of YAML", "put the text in quotes"),
    ("while scanning an alias", "`*` begins an alias of YAML", "put the text in quotes"),
    ("while scanning a tag", "`!` begins a tag of YAML", "put the text in quotes"),
    ("while scanning a block scalar", "`|` and `>` begin a block of text", "put the text in quotes"),
    ("exceeded maximum nesting depth", TOO_DEEP, ""),  # newer libyaml, before it has told a single event
    ("block sequence entries are not allowed", "a list begins here, where none can", "begin it on its own line, under its key"),
    ("sequence entries are not allowed", "a list begins here, where none can", "begin it on its own line, under its key"),
)


def explain(error: yaml.MarkedYAMLError, text: str, file: str) -> WsbError:
    """The error in our words. Its place is where the trouble begins: for something left open, where it was opened."""
    said = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    if _opens(said) and error.context_mark is not None:
        mark = error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = text.splitlines() or [""]
    line = min(line, len(lines) - 1)
    where = Location(file=file, line=line + 1, column=column + 1)
    if "mapping values are not allowed" in said and line and re.match(_NO_SPACE, lines[line - 1]):
        line, column, said = line - 1, lines[line - 1].index(":"), "could not find expected ':'"
        where = Location(file=file, line=line + 1, column=column + 1)
    message, hint = _sentence(said, lines[line], column)
    return WsbError("bad-yaml", message, where, hints=(hint,) if hint else ())


def _opens(said: str) -> bool:
    left_open = ("while scanning a quoted scalar", "while parsing a flow sequence", "while parsing a flow mapping")
    return any(part in said for part in left_open)


def _sentence(said: str, line: str, column: int) -> tuple[str, str]:
    here = line[column : column + 1]
    indentation = line[: len(line) - len(line.lstrip())]
    if here == "\t" or "\t" in indentation or "tab character" in said:
        return "a tab stands in the indentation; YAML allows only spaces there", "replace each tab by two spaces"
    if "cannot start any token" in said and here:
        return f"a value cannot begin with `{here}`", f'put it in quotes: "{line[column:].strip()[:40]}"'
    for part, message, hint in _SENTENCES:
        if part in said:
            return message, hint
    return "this cannot be read as YAML", "check indentation, quotes and brackets here and in the line above"
