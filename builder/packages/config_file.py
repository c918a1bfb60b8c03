"""wsb.yaml on disk: changed as text, written whole or not at all, and put back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from builder.config.edit import add_item, edit_bytes, remove_item, replace_item, set_value
from builder.errors import WsbError
from builder.packages.findings import Edit
from builder.packages.names import Chosen
from builder.store import write_file


class ConfigFile:
    """One wsb.yaml. content: as it is now; before: as it was when this was made."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        try:
            self.before = self._path.read_bytes()
            self._mode = self._path.stat().st_mode & 0o7777
        except OSError as error:
            raise WsbError("no-such-file", f"cannot read {path.name}: {error.strerror}") from None
        self.content = self.before

    def change(self, change: Callable[[str], str]) -> None:
        """In memory. Raises WsbError when the file cannot be edited safely."""
        self.content = edit_bytes(self.content, self._path.name, change)

    @property
    def has_changed(self) -> bool:
        return self.content != self.before

    def write(self) -> None:
        """Raises WsbError bad-value when the folder or the file may not be written."""
        write_file(self._path, self.content, self._mode)

    def restore(self) -> None:
        write_file(self._path, self.before, self._mode)


def with_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits of findings."""
    for edit in edits:
        path = ("packages", edit.list)
        if edit.item and edit.new:
            text = replace_item(text, path, edit.item, edit.new)
        elif edit.item:
            text = remove_item(text, path, edit.item)
        else:
            text = add_item(text, path, edit.new)
    return text


def with_chosen(text: str, chosen: Chosen, replaced: str = "") -> str:
    """The text after one addition. replaced: the item of the same name that is there already, "" for none."""
    if chosen.kind == "key":
        for kind in ("pip", "conda"):
            text = remove_item(text, ("packages", kind), replaced) if replaced else text
        return set_value(text, (chosen.name,), chosen.item)
    path = ("packages", chosen.kind)
    return replace_item(text, path, replaced, chosen.item) if replaced else add_item(text, path, chosen.item)
