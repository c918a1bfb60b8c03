"""`wsb ls`: the workspaces on this engine, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builder.engine.base import ImageInfo
    from builder.launch.workspaces import Inventory, Workspace


@click.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """List the workspaces on this engine: torch, Python, size, and what they share."""
    from builder.cli import common
    from builder.launch.workspaces import Inventory
    from builder.ui.workspaces_text import workspace_lines

    console = common.console()
    engine = common.connect()
    try:
        inventory = Inventory(images=engine.images(""))
    finally:
        engine.close()
    if as_json:
        console.document(document(inventory))
    else:
        console.product("\n".join(workspace_lines(inventory)) + "\n")


def document(inventory: Inventory) -> dict[str, Any]:
    """wsb.workspaces/1."""
    shared = [one for one in (*inventory.torch_images, *inventory.base_images) if one.id in inventory.standing]
    return {
        "schema": "wsb.workspaces/1",
        "workspaces": [_workspace(one) for one in inventory.workspaces],
        "shared": [_shared(one, inventory) for one in shared],
        "disk_bytes": inventory.disk_bytes,
        "unused_bytes": sum(one.frees_bytes for one in inventory.unused),
    }


def _workspace(one: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": one.name,
        "image": one.tag,
        "id": one.image.id,
        "created": one.image.created,
        "torch": one.label("torch"),
        "python": one.label("python"),
        "manager": one.label("manager"),
        "base": one.label("base"),
        "platform": one.image.platform,
        "size_bytes": one.size_bytes,
        "own_bytes": one.own_bytes,
    }
    if one.below is not None:
        found["shared"] = {"image": _name(one.below), "bytes": one.below.size_bytes, "workspaces": one.sharers}
    return found


def _shared(image: ImageInfo, inventory: Inventory) -> dict[str, Any]:
    names = list(inventory.standing[image.id])
    return {"image": _name(image), "bytes": image.size_bytes, "workspaces": names}


def _name(image: ImageInfo) -> str:
    return image.tags[0] if image.tags else image.id
