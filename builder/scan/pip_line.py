"""One requirement as people write it for pip → a PipItem, or what is wrong with it.

Beside names with versions: addresses, repositories, local folders, and the habits that pip refuses but whose meaning is
plain (one `=`, `>=1.7.*`, a path that conda left behind). Those are taken as meant, with a note.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from builder.catalog.packages import normal
from builder.config.packages import has_credentials, is_address
from builder.config.suggest import shown
from builder.errors import WsbError
from builder.model.values import Location
from builder.scan.items import Item, LocalItem, NoteItem, PipItem

MAX_LINE = 4096  # characters of one requirement

_VCS = r"(?i)(git|hg|svn|bzr)\+[a-z+]+://"
_SCHEME = r"(?i)[a-z][a-z0-9+.-]*://"
_ARCHIVE = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")
_NAMED_URL = r"(?i)(?P<name>[a-z0-9][a-z0-9._-]*\s*(\[[^\]]*\])?)\s*@\s*(?P<url>[a-z][a-z0-9+.-]*:/.*)"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"


def read_pip_requirement(text: str, where: Location, *, is_editable: bool = False) -> tuple[Item, ...]:
    """The items of one requirement without pip's options: one PipItem or LocalItem, with notes, or a WsbError."""
    text = text.strip()
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        text = text[1:-1].strip()
    if not text:
        return ()
    if len(text) > MAX_LINE:
        return (_problem(f"this line has {len(text):,} characters; at most {MAX_LINE:,} are read", where),)
    if ":/" in text:
        named = re.fullmatch(_NAMED_URL, text)
        if named:
            return _direct(named["name"].strip(), named["url"].strip(), where, is_editable)
        if re.match(_SCHEME, text):
            return _direct("", text, where, is_editable)
    if _is_local(text) or is_editable:
        return (_local(text, where),)
    return _named(text, where)


def _problem(message: str, where: Location, hint: str = "") -> WsbError:
    return WsbError("bad-value", message, where, hints=(hint,) if hint else ())


# --- name and versions ---------------------------------------------------------------------------------------------


def _named(text: str, where: Location) -> tuple[Item, ...]:
    item = _item(text, where)
    if item is not None:
        return (item,)
    meant = _meant(text)
    item = _item(meant, where) if meant is not None else None
    if meant is None or item is None:
        return (_problem(f"{shown(text)} is not a requirement that pip can read", where, _hint(text)),)
    return (NoteItem(text=f"{shown(text)} is read as {shown(meant)}; pip refuses it as written", where=where), item)


def _item(text: str, where: Location) -> PipItem | None:
    """What the standard reads in a line; None for a line that it refuses."""
    plain = _plain(text, where)
    if plain is not None:
        return plain
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    return PipItem(
        name=normal(requirement.name),
        text=str(requirement),
        where=where,
        versions=str(requirement.specifier),
        marker=str(requirement.marker) if requirement.marker else None,
    )


def _plain(text: str, where: Location) -> PipItem | None:
    """The same, sooner, of a name and versions, which is what most lines are: importing `packaging.requirements` takes a
    tenth of what `wsb plan` does. None for all that is not surely that."""
    found = re.fullmatch(rf"({_NAME})[ \t]*((?:[=<>!~]=|[<>])[0-9A-Za-z.*+!=<>~,_ \t-]*)?", text)
    if found is None or "===" in text:
        return None
    try:
        versions = SpecifierSet(found[2] or "")
    except InvalidSpecifier:
        return None
    if len(versions) != (text.count(",") + 1 if found[2] else 0):  # a comma too many, or one asked for twice
        return None
    return PipItem(name=normal(found[1]), text=f"{found[1]}{versions}", where=where, versions=str(versions))


def _meant(text: str) -> str | None:
    """What a line means whose spelling pip refuses; None when that is not plain."""
    requirement, semicolon, marker = text.partition(";")
    changed = re.sub(r"(?<![=<>!~])=(?![=])\s*", "==", requirement)  # numpy=1.24
    changed = re.sub(r"([<>]=?\s*[0-9][0-9.]*)\.\*", r"\1", changed)  # >=1.7.*
    changed = re.sub(r"(==\s*[^=\s,]+)==\S+", r"\1", changed)  # numpy=1.24=py39_0
    changed = re.sub(r"(?<=[0-9*])\s*(?=[<>!~]=?\s*[0-9])", ",", changed)  # >=1.0<2
    changed = re.sub(r"[,;]\s*$", "", changed.strip())
    changed += f";{marker}" if semicolon and marker.strip() else ""
    return changed if changed != text else None


def _hint(text: str) -> str:
    words = text.split()
    if words[0] in ("pip", "pip3", "!pip", "conda", "mamba", "python"):
        return "a requirements file holds one requirement a line, not commands"
    if len(words) > 1 and re.fullmatch(r"[A-Za-z0-9._-]+", words[0]) and re.match(r"\d", words[1]):
        return f"write `{words[0]}=={words[1]}`"
    if len(words) > 1 and all(re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", word) for word in words):
        return "write one requirement a line"
    return "write it like `einops`, `einops>=0.8` or `clip @ git+https://…`"


# --- addresses -----------------------------------------------------------------------------------------------------


def _direct(name: str, url: str, where: Location, is_editable: bool) -> tuple[Item, ...]:
    url, semicolon, marker = url.partition(" ;")
    url = url.strip()
    wrong = wrong_address(url, where) or _wrong_marker(marker if semicolon else "", where)
    if wrong is not None:
        return (wrong,)
    if url.lower().startswith("file:"):
        return _left_by_conda(name, url, where)
    notes: tuple[Item, ...] = ()
    if url.startswith("git+git://"):
        url = f"git+https://{url.removeprefix('git+git://')}"
        notes = (NoteItem(text="git:// is no longer served by GitHub and others; https:// is used", where=where),)
    bare, _, fragment = url.partition("#")
    fragments = dict(part.partition("=")[::2] for part in fragment.split("&")) if fragment else {}
    name = name or unquote(fragments.pop("egg", "")) or _name_of_wheel(bare)
    kept = "&".join(f"{key}={value}" if value else key for key, value in fragments.items() if key != "egg")
    address = f"{bare}#{kept}" if kept else bare
    if name and not re.fullmatch(rf"{_NAME}\s*(\[[^\]]*\])?", name):
        return (_problem(f"{shown(name)} is not the name of a package", where),)
    canonical = normal(name.partition("[")[0].strip()) if name else ""
    line = f"{name} @ {address}" if name else address
    if semicolon and marker.strip():
        line = f"{line} ; {marker.strip()}"
    item = PipItem(
        name=canonical,
        text=line,
        where=where,
        url=address,
        marker=marker.strip() or None,
        is_editable=is_editable and re.match(_VCS, url) is not None,
    )
    return (*notes, item)


def wrong_address(url: str, where: Location) -> WsbError | None:
    """What is wrong with an address that would be written into the image; None when nothing is."""
    if has_credentials(url):
        hint = "give it to pip on this machine, by .netrc, and take it out here"
        return _problem("the address holds a password or token, which would be readable in the image", where, hint)
    if not is_address(re.sub(r"\$\{[A-Za-z0-9_]+\}", "x", url)):
        return _problem(f"{shown(url)} is not an address", where, "it is written without spaces, quotes and $( )")
    return None


def _wrong_marker(marker: str, where: Location) -> WsbError | None:
    if not marker.strip():
        return None
    from packaging.markers import InvalidMarker, Marker

    try:
        Marker(marker.strip())
    except InvalidMarker:
        return _problem(f"{shown(marker.strip())} is not a marker that pip can read", where)
    return None


def _left_by_conda(name: str, url: str, where: Location) -> tuple[Item, ...]:
    """`numpy @ file:///tmp/build/…`: what `pip freeze` writes in a conda environment. The file is gone with that machine."""
    if not name:
        return (NoteItem(text=f"{shown(url)} is a file of another machine; it is left out", where=where),)
    wheel = re.match(r".*-(\d+(?:\.\d+)+[A-Za-z0-9.]*)-[^/]*\.whl", unquote(url))
    line = f"{name}=={wheel[1]}" if wheel else name
    note = f"{name} lies in a file of another machine; {line} is taken from the index"
    item = _item(line, where)
    if item is None:
        return (_problem(f"{shown(name)} is not the name of a package", where),)
    return (NoteItem(text=note, where=where), item)


def _name_of_wheel(url: str) -> str:
    """The distribution in a wheel's file name; "" for other files."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        return parse_wheel_filename(unquote(url.rpartition("/")[2]))[0]
    except InvalidWheelFilename:
        return ""


# --- folders -------------------------------------------------------------------------------------------------------


def _is_local(text: str) -> bool:
    if text.startswith((".", "/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", text):
        return True
    bare = text.partition(";")[0].strip().partition("[")[0]
    return bare.lower().endswith(_ARCHIVE) or (re.fullmatch(r"[\w.+-]+(/[\w.+-]+)+/?", bare) is not None)


def _local(text: str, where: Location) -> Item:
    path = text.partition(" ;")[0].strip().replace("\\", "/")
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:/", path):
        return NoteItem(text=f"{shown(path)} is a path of another machine; it is left out", where=where)
    if re.search(r"[\x00-\x1f\x7f\"'`$|&;<>*?]", path):
        return _problem(f"{shown(path)} is not the path of a folder", where)
    return LocalItem(path=path.rstrip("/") or ".", where=where)
