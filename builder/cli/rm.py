"""`wsb rm`: remove workspaces from the engine; what others share stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from builder.errors import WsbError
    from builder.launch.workspaces import Inventory, Workspace


@click.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Remove workspaces by their names. The project's folder is not touched; layers that others use stay."""
    from builder.cli import common
    from builder.launch.workspaces import Inventory
    from builder.ui.text import as_bytes

    console = common.console()
    engine = common.connect()
    try:
        inventory = Inventory(images=engine.images(""))
        chosen = _chosen(inventory, names)
        for one in chosen:
            engine.remove_image(one.tag)
            stays = f"; {_shared(one)} stays" if one.below else ""
            console.line(f"removed {one.name} ({as_bytes(one.own_bytes)} of its own{stays})")
        left = Inventory(images=engine.images("")).unused
    finally:
        engine.close()
    if left:
        console.line(f"`wsb prune` frees {as_bytes(sum(one.frees_bytes for one in left))} that nothing uses now")
    if as_json:
        rows = [{"name": one.name, "image": one.tag, "id": one.image.id, "own_bytes": one.own_bytes} for one in chosen]
        unused = sum(one.frees_bytes for one in left)
        console.document({"schema": "wsb.removed/1", "removed": rows, "unused_bytes": unused})


def _shared(one: Workspace) -> str:
    assert one.below is not None
    name = one.below.tags[0] if one.below.tags else one.below.id
    others = one.sharers - 1
    return f"{name}, which {others} more use{'s' if others == 1 else ''}," if others > 0 else name


def _chosen(inventory: Inventory, names: tuple[str, ...]) -> tuple[Workspace, ...]:
    """Nothing is removed when one of the names is wrong."""
    from builder.errors import Problems
    from builder.launch.workspaces import matching

    found: dict[str, Workspace] = {}
    problems = []
    for name in names:
        matches = matching(inventory, name)
        if len(matches) != 1:
            problems.append(_not_one(inventory, name, matches))
        for one in matches:
            found[one.tag] = one
    if problems:
        raise Problems(problems)
    return tuple(found.values())


def _not_one(inventory: Inventory, name: str, matches: tuple[Workspace, ...]) -> WsbError:
    from builder.config.suggest import nearest
    from builder.errors import WsbError

    if matches:
        return WsbError("not-declared", f"{name} is several workspaces: {', '.join(one.tag for one in matches)}")
    foreign = any(name in (tag, tag.removesuffix(":latest")) for image in inventory.images for tag in image.tags)
    if foreign:
        return WsbError("not-declared", f"{name} is an image that is no workspace of wsb", hints=("`docker rmi` removes it",))
    near = nearest(name, [one.name for one in inventory.workspaces])
    hint = f"did you mean {near}?" if near else "`wsb ls` lists them"
    return WsbError("not-declared", f"there is no workspace {name} on this engine", hints=(hint,))
