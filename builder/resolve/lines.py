"""Requirement lines taken apart far enough to decide: whose line it is, and which versions it asks for."""

from __future__ import annotations

import re

from builder.catalog.packages import normal
from builder.model.frozen import frozen
from builder.model.values import Located, VersionRequest

_LINE = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(@\s*\S+|[^;]*)?(;.*)?$")
_CONDA = r"\s*(?:[\w./-]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)$"


@frozen
class PipLine:
    """One requirement. name: normalised, "" for a bare URL or path. asks: its version part, "" when it names none."""

    text: str
    name: str
    asks: str
    url: str | None

    @property
    def request(self) -> VersionRequest | None:
        """The versions it asks for; None when any will do, or when it is not understood."""
        if not self.asks:
            return None
        try:
            return VersionRequest.parse(self.asks)
        except ValueError:
            return None


def pip_line(text: str) -> PipLine:
    """A requirement line in parts. A bare URL or path has no name, unless #egg= or the repository tells."""
    stripped = text.strip()
    if re.match(r"(git|hg|svn|bzr)\+|https?://|file:|\.{0,2}/|-e\s", stripped):
        return PipLine(text=stripped, name=_name_in_url(stripped), asks="", url=stripped)
    match = _LINE.match(stripped)
    if not match:
        return PipLine(text=stripped, name="", asks="", url=None)
    rest = (match[3] or "").strip()
    if rest.startswith("@"):
        return PipLine(text=stripped, name=normal(match[1]), asks="", url=rest[1:].strip())
    return PipLine(text=stripped, name=normal(match[1]), asks=rest.strip("() "), url=None)


def conda_line(text: str) -> PipLine:
    """A conda package spec in parts: "numpy=1.21.2=py38h", "conda-forge::ffmpeg", "python>=3.8"."""
    match = re.match(_CONDA, text)
    if not match:
        return PipLine(text=text.strip(), name="", asks="", url=None)
    return PipLine(text=text.strip(), name=match[1].lower(), asks=match[2].strip(), url=None)


def as_pip(name: str, asks: str) -> str:
    """A conda version part spelled for pip: "=1.21.2=py38h" becomes "==1.21.2", "=1.21" becomes "==1.21.*"."""
    asks = asks.strip().split(" ")[0] if " " in asks.strip() and "," not in asks else asks.strip().replace(" ", "")
    if not asks or asks == "*":
        return name
    exact = re.fullmatch(r"={1,2}([^=,<>!~*]+)=[^=,]+", asks)
    if exact:
        return f"{name}=={exact[1]}"
    if re.match(r"==|[<>!~]", asks):
        return f"{name}{asks}"
    bare = asks.lstrip("=").removesuffix(".*").removesuffix("*").rstrip(".")
    return f"{name}=={bare}" if bare.count(".") >= 2 else f"{name}=={bare}.*"


def _name_in_url(url: str) -> str:
    egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", url)
    if egg:
        return normal(egg[1])
    wheel = re.search(r"/([A-Za-z0-9_.]+)-\d[^/]*\.(whl|tar\.gz|zip)", url)
    if wheel:
        return normal(wheel[1])
    repository = re.search(r"/([A-Za-z0-9._-]+?)(\.git)?(@[^/#]*)?/?(#.*)?$", url)
    return normal(repository[1]) if repository else ""


def located_lines(lines: tuple[Located[str], ...]) -> tuple[tuple[PipLine, Located[str]], ...]:
    return tuple((pip_line(line.value), line) for line in lines)
