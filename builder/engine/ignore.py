"""The rules of a .dockerignore file: which paths of a project stay out of the build's context.

Text comes in, patterns come out that answer for one path at a time. The rules are docker's own, not git's: patterns are
anchored at the context's root, `**` crosses folders, the last pattern that matches decides, `!` lets back in.
Source: docs.docker.com/build/concepts/context/#dockerignore-files and github.com/moby/patternmatcher.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line. folders: a regular expression for each part of the path, up to the first "**"."""

    is_negated: bool
    regex: re.Pattern[str]
    folders: tuple[re.Pattern[str], ...]

    @classmethod
    def parse(cls, line: str) -> Pattern:
        """Raises ValueError for a line that docker refuses too."""
        is_negated = line.startswith("!")
        text = line[1:].strip() if is_negated else line
        if not text:
            raise ValueError('"!" alone lets nothing back in')
        text = posixpath.normpath(text).lstrip("/") or "."
        before_stars = text.partition("**")[0].rpartition("/")[0] if "**" in text else text
        try:
            regex = re.compile(_regex(text), re.DOTALL)
            folders = [re.compile(_regex(part), re.DOTALL) for part in before_stars.split("/") if part]
        except re.error as error:
            raise ValueError(f"{line!r} is no pattern: {error}") from None
        return cls(is_negated, regex, tuple(folders))

    def may_match_below(self, folder: str) -> bool:
        """Whether some path inside this folder can match; used to skip folders that nothing lets back in."""
        return all(wanted.fullmatch(part) for wanted, part in zip(self.folders, folder.split("/"), strict=False))


@dataclass(frozen=True, slots=True)
class Ignore:
    """All patterns of a file, in its order."""

    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Ignore:
        """Raises ValueError that names the line."""
        patterns = []
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
            if line.startswith("#") or not line.strip():
                continue
            try:
                patterns.append(Pattern.parse(line.strip()))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
        return cls(tuple(patterns))

    def ignores(self, path: str) -> bool:
        """Whether this path, relative and with forward slashes, stays out. A pattern that matches a parent counts."""
        is_ignored = False
        candidates = _with_parents(path)
        for pattern in self.patterns:
            # a pattern that could not change the answer is not asked
            if pattern.is_negated == is_ignored and any(pattern.regex.fullmatch(one) for one in candidates):
                is_ignored = not pattern.is_negated
        return is_ignored

    def may_let_in_below(self, folder: str) -> bool:
        """Whether a "!" pattern can let something back in below an ignored folder."""
        return any(pattern.is_negated and pattern.may_match_below(folder) for pattern in self.patterns)


def _with_parents(path: str) -> Sequence[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _regex(text: str) -> str:
    """The regular expression for a pattern, matched against a whole path."""
    if text.startswith("**") and text[2:3] != "/" and not re.search(r"[*?\[\\]", text[2:]):
        return ".*" + re.escape(text[2:])  # docker takes "**file" for any path that ends so
    out = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*" and text[at : at + 1] == "*":
            at += 1
            at += text[at : at + 1] == "/"
            out.append("(?:.*/)?" if at < len(text) else ".*")
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            end = _class_end(text, at)
            out.append(_class(text[at:end]))
            at = end + 1
        elif char == "\\":
            if at == len(text):
                raise re.error("a backslash at the end escapes nothing")
            out.append(re.escape(text[at]))
            at += 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _class_end(text: str, at: int) -> int:
    """Where the "]" of a class is that opened just before `at`."""
    while at < len(text) and text[at] != "]":
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise re.error("a [ without its ]")
    return at


def _class(inside: str) -> str:
    negation = "^" if inside.startswith("^") else ""
    body = inside.removeprefix("^")
    if not body:
        raise re.error("an empty []")
    # Go's escapes and ranges are Python's; a "[" inside a class has a meaning of its own in neither
    return f"[{negation}{body.replace('[', chr(92) + '[')}]"
