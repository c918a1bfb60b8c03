"""What one line of a project's file declares. Every reader of this room gives these, in the order of its file, and
project.py folds them into one Project: a new kind of file is a new reader and nothing else.
"""

from __future__ import annotations

from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.values import Location


@frozen
class PipItem:
    """A Python package.

    name: canonical (lower case, one dash), "" when only its address is known. text: the line to install, as pip reads it.
    versions: the specifier part, such as ">=1.8,<2" or "". url: where it lies, for a direct reference.
    """

    name: str
    text: str
    where: Location
    versions: str = ""
    url: str | None = None
    marker: str | None = None
    is_editable: bool = False


@frozen
class LocalItem:
    """A directory or archive of the project itself. path: as written, with its extras, such as ".[dev]"."""

    path: str
    where: Location


@frozen
class CondaItem:
    """A conda package. version, build: "" when not given. text: the match spec to install."""

    name: str
    text: str
    where: Location
    version: str = ""
    build: str = ""
    channel: str = ""


@frozen
class ChannelItem:
    channel: str
    where: Location


@frozen
class IndexItem:
    """A package index, or with is_find_links a page or folder of files."""

    url: str
    where: Location
    is_find_links: bool = False


@frozen
class IncludeItem:
    """Another file. path: as written, seen from the folder of the file it stands in."""

    path: str
    where: Location
    is_constraint: bool = False


@frozen
class AptItem:
    """A package of the distribution, from a Dockerfile or an install line."""

    name: str
    where: Location


@frozen
class ImageItem:
    """A base image that a Dockerfile or a dev container stands on."""

    image: str
    where: Location


@frozen
class NoteItem:
    """Something that was read but not taken, or taken otherwise than written."""

    text: str
    where: Location


Item = PipItem | LocalItem | CondaItem | ChannelItem | IndexItem | IncludeItem | AptItem | ImageItem | NoteItem | WsbError
