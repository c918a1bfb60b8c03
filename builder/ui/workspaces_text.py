"""Workspaces for people: one a line, then what they share, then what nobody uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.launch.workspaces import Inventory, Unused, total
from builder.ui.packages_text import table
from builder.ui.text import as_bytes

_NAMES = 4


def workspace_lines(inventory: Inventory) -> Iterator[str]:
    """What `wsb ls` prints."""
    if not inventory.workspaces:
        yield "no workspace is built on this engine; `wsb build` builds one"
    else:
        rows = [
            (
                one.name,
                one.label("torch"),
                one.label("python"),
                one.label("manager"),
                as_bytes(one.size_bytes),
                as_bytes(one.own_bytes),
                one.image.created[:10],
            )
            for one in inventory.workspaces
        ]
        yield from table(rows, ("NAME", "TORCH", "PYTHON", "MANAGER", "SIZE", "OWN", "BUILT"))
        yield ""
    for image in (*inventory.torch_images, *inventory.base_images):
        names = inventory.standing.get(image.id, ())
        if names:
            shown = ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")
            yield f"shared: {image.tags[0] if image.tags else image.id[:19]} ({as_bytes(image.size_bytes)}) by {shown}"
    if inventory.workspaces:
        yield f"on disk: about {as_bytes(inventory.disk_bytes)}, what is shared counted once"
    if inventory.unused:
        yield f"unused: about {as_bytes(total(inventory.unused))}; `wsb prune` frees it"


def unused_lines(unused: Sequence[Unused]) -> Iterator[str]:
    """What `wsb prune` says first."""
    if not unused:
        yield "nothing to free: every image of wsb is in use"
        return
    for one in unused:
        name = one.reference.removeprefix("sha256:")[:12] if one.reference.startswith("sha256:") else one.reference
        of = f" of {one.image.labels['dev.wsb.env']}" if one.kind == "old build" and "dev.wsb.env" in one.image.labels else ""
        why = ", on which no workspace stands" if one.kind == "torch" else ""
        yield f"{one.kind}{of}: {name} ({as_bytes(one.frees_bytes)}){why}"
    yield f"together about {as_bytes(total(unused))}"
