"""Items of many files → one Project: which of several statements counts, and what is said about the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from builder.errors import WsbError
from builder.model.project import Project
from builder.model.values import Located, VersionRequest
from builder.scan import torch_family
from builder.scan.elsewhere import other_system_of
from builder.scan.items import (
    AptItem,
    ChannelItem,
    CondaItem,
    ImageItem,
    IncludeItem,
    IndexItem,
    Item,
    LocalItem,
    NoteItem,
    PipItem,
)
from builder.scan.markers import could_hold
from builder.scan.torch_family import Hint

# https://mirrors.example.org/anaconda/cloud/conda-forge/ and …/anaconda/pkgs/main/
_MIRROR = r"https?://[^/\s]+/(?:[^/\s]+/)*?(?:anaconda|conda)/(?:cloud/(?P<name>[A-Za-z0-9_.-]+)|pkgs/\w+)(?:/[a-z0-9-]+)?/?"

_FIELDS = ("python", "torch", "torchvision", "torchaudio", "torch_variant", "cuda")


class Gathering:
    """Takes items in the order they were read, and makes the Project of them."""

    def __init__(self, python: VersionRequest | None = None) -> None:
        """python: the one that wsb.yaml asks for; lines whose marker rules it out are left out."""
        self._python = python
        self._hints: list[Hint] = []
        self._pip: dict[str, PipItem] = {}
        self._selector: Located[str] | None = None
        self._lists: dict[str, list[Located[str]]] = {
            name: [] for name in ("channels", "conda", "index_urls", "find_links", "local_paths", "constraints", "notes")
        }

    def take(self, item: Item, *, is_constraint: bool = False) -> Iterator[WsbError]:
        """Adds one item; gives what is wrong with it."""
        match item:
            case PipItem():
                yield from self._take_pip(item, is_constraint)
            case CondaItem():
                yield from self._take_conda(item)
            case IndexItem():
                yield from self._say(torch_family.of_index(item))
                if not torch_family.is_torch_index(item.url):
                    self._add("find_links" if item.is_find_links else "index_urls", item.url, item)
            case LocalItem():
                self._add("local_paths", item.path, item)
            case ChannelItem():
                self._add("channels", self._channel(item), item)
            case NoteItem():
                self._lists["notes"].append(Located(item.text, item.where))
            case AptItem() | ImageItem() | IncludeItem():
                return  # `wsb init` looks at these; a plan takes its own base and libraries
            case WsbError():
                yield item
            case _:
                raise TypeError(f"{item!r} is not for gathering")

    def _add(self, name: str, value: str, item: Any) -> None:
        """Once; the first place counts."""
        if all(known.value != value for known in self._lists[name]):
            self._lists[name].append(Located(value, item.where))

    def _channel(self, item: ChannelItem) -> str:
        """The channel itself where an address names a mirror of it: mirrors move, and `sources: {conda: …}` names one."""
        mirrored = re.fullmatch(_MIRROR, item.channel)
        if mirrored is None or "conda.anaconda.org" in item.channel or "repo.anaconda.com" in item.channel:
            return item.channel
        name = mirrored["name"] or "defaults"
        self._note(f"{item.channel} is a mirror of {name}, which is taken; `sources: {{conda: …}}` names a mirror", item)
        return name

    def _note(self, text: str, item: Any) -> None:
        self._lists["notes"].append(Located(text, item.where))

    def _say(self, said: Iterator[Hint | NoteItem | WsbError], at_least: int = 0) -> Iterator[WsbError]:
        for one in said:
            match one:
                case Hint():
                    rank = max(one.rank, at_least)
                    self._hints.append(Hint(field=one.field, value=one.value, where=one.where, rank=rank))
                case NoteItem():
                    self._note(one.text, one)
                case WsbError():
                    yield one

    def _take_pip(self, item: PipItem, is_constraint: bool) -> Iterator[WsbError]:
        system = other_system_of(item.name)
        if torch_family.takes_pip(item):
            if not could_hold(item.marker, self._python):
                self._note(f"{item.name} is left out: its marker ({item.marker}) never holds in the container", item)
            else:
                yield from self._say(torch_family.of_pip(item), at_least=1 if is_constraint else 0)
            return
        yield from self._say(torch_family.between_lines(item))
        if system and item.marker is None:
            self._note(f"{item.name} exists for {system} only; it is left out", item)
        elif is_constraint:
            self._add("constraints", item.text, item)
        else:
            self._keep_pip(item)

    def _keep_pip(self, item: PipItem) -> None:
        key = item.name or item.text
        if item.marker is not None:
            key = f"{key};{item.text}"
        known = self._pip.setdefault(key, item)
        if known is item or known.text == item.text:
            return
        if not known.versions and known.url is None and (item.versions or item.url):
            self._pip[key] = item  # a name alone asks for nothing that the other does not give
        elif item.versions or item.url:
            self._note(f"{item.text} is not taken: {known.where} says {known.text}", item)

    def _take_conda(self, item: CondaItem) -> Iterator[WsbError]:
        if item.name in ("pytorch-cuda", "cudatoolkit") and self._selector is None:
            self._selector = Located(item.name, item.where)
        yield from self._say(torch_family.of_conda(item))
        if not torch_family.takes_conda(item):
            self._add("conda", item.text, item)

    def project(self, files: tuple[str, ...]) -> Project:
        """The Project of all that was taken."""
        values: dict[str, Any] = {name: self._choose(name) for name in _FIELDS}
        values |= {name: tuple(located) for name, located in self._lists.items()}
        pip = tuple(self._pip.values())
        return Project(
            **values,
            pip=tuple(Located(item.text, item.where) for item in pip),
            editable_urls=tuple(Located(item.text, item.where) for item in pip if item.is_editable),
            files=files,
            cuda_selector=self._selector,
        )

    def _choose(self, name: str) -> Any:
        """The first that says it outright, a version before no version; the others become notes."""
        said = [hint for hint in self._hints if hint.field == name]
        if not said:
            return None
        specific = [hint for hint in said if not _is_any(hint)]
        best = min(specific or said, key=lambda hint: hint.rank)
        for hint in specific:
            if hint.rank < 2 and str(hint.value) != str(best.value):
                text = f"{name} {hint.value} is not taken: {best.where} says {best.value}"
                self._lists["notes"].append(Located(text, hint.where))
        return Located(best.value, best.where)


def _is_any(hint: Hint) -> bool:
    return isinstance(hint.value, VersionRequest) and hint.value.is_any
