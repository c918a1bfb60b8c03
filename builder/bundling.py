"""A bundle: all that a locked build takes from elsewhere, in one folder or archive, for a machine without any network.

bundle.json        what it is
wsb.lock           what it holds
base.tar           the base, as an engine saves it
torch/ workspace/  the files of each part of the lock, by kind
"""

from __future__ import annotations

import io
import json
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.engine.base import BuildRequest, Engine
from builder.engine.context import build_context
from builder.engine.pieces import Pieces
from builder.errors import WsbError
from builder.lock.changes import changes
from builder.lock.text import FILE, digest, dump, parse
from builder.locking import Renderer
from builder.making import Maker, wheel_folder
from builder.model.frozen import frozen
from builder.model.lock import Lock, LockedPlatform
from builder.model.plan import Plan
from builder.model.values import Location
from builder.render.files import fetch_files

SCHEMA = "wsb.bundle/1"
_FETCHED = "/wsb-files"
KINDS = ("apt", "conda", "pip", "installer")


@frozen
class Bundle:
    """An opened one. directory: with torch/ and workspace/ in it."""

    directory: Path
    lock: Lock

    @property
    def base(self) -> Path:
        return self.directory / "base.tar"


def write(maker: Maker, plan: Plan, renderer: Renderer, locked: LockedPlatform, target: Path) -> int:
    """Fill the new folder, or the archive when target ends in .tar; returns the bytes in it. An unfinished one is removed."""
    if target.exists():
        raise WsbError("file-was-edited", f"{target} exists", hints=["remove it, or name another place with --output"])
    target.parent.mkdir(parents=True, exist_ok=True)
    is_archive = target.suffix == ".tar"
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        _fill(maker, plan, renderer, locked, folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if is_archive:
            made = Path(scratch) / "bundle.tar"
            with tarfile.open(made, "w") as archive:
                for path in sorted(folder.iterdir()):
                    archive.add(path, path.name)
            made.rename(target)
        else:
            folder.rename(target)
    return size


def _fill(maker: Maker, plan: Plan, renderer: Renderer, locked: LockedPlatform, folder: Path) -> None:
    files = renderer.render(plan, locked)
    token = secrets.token_hex(4)
    stage_tag, tag = f"wsb/bundle:stage-{token}", f"wsb/bundle:{token}"
    try:
        stage, _ = maker.stage(plan, files, locked, stage_tag)
        fetching = fetch_files(
            plan,
            templates=renderer.templates,
            version=renderer.version,
            stage_image=stage,
            files=maker.with_network(files, plan),
            locked=locked,
        )
        with wheel_folder(plan) as wheels:
            request = BuildRequest(
                tag=tag,
                context=build_context(fetching, wheels),
                args=maker.base(plan, None)[1],
                platform=plan.platform,
                network=maker.network,
                secrets=maker.secrets(plan),
            )
            maker.step(request, fetching)
        unpack(maker.engine.archive_from_image(tag, _FETCHED), folder)
        base = maker.base(plan, locked)[1]["WSB_BASE"]
        with (folder / "base.tar").open("wb") as stream:
            for piece in maker.engine.save([base]):
                stream.write(piece)
    finally:
        maker.engine.remove_image(tag)
        maker.engine.remove_image(stage_tag)
    (folder / FILE).write_text(dump(Lock(version=renderer.version, platforms=(locked,))), "utf-8")
    told = {"schema": SCHEMA, "name": plan.name, "platform": plan.platform, "plan": locked.plan, "date": locked.date}
    (folder / "bundle.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", "utf-8")


def unpack(pieces: Iterator[bytes], folder: Path) -> None:
    """The fetched files, each into its kind's folder below torch/ or workspace/; nothing else of the tar is believed."""
    for part in ("torch", "workspace"):
        for kind in KINDS:
            (folder / part / kind).mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BufferedReader(Pieces(pieces), 1 << 20), mode="r|") as archive:
        for member in archive:
            words = member.name.strip("./").split("/")
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or len(words) != 4 or words[1] not in ("torch", "workspace") or words[2] not in KINDS:
                continue
            with (folder / words[1] / words[2] / Path(words[3]).name).open("wb") as stream:
                shutil.copyfileobj(content, stream, 1 << 20)


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """A bundle's folder, or its archive unpacked for the time of the body. Raises WsbError no-such-file, bad-value."""
    if path.is_dir():
        yield _read(path)
        return
    with tempfile.TemporaryDirectory(prefix="wsb-bundle-") as scratch:
        try:
            with tarfile.open(path) as archive:
                members = [
                    one for one in archive if one.isreg() and ".." not in one.name.split("/") and not one.name.startswith("/")
                ]
                for member in members:
                    place = Path(scratch) / member.name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    content = archive.extractfile(member)
                    assert content is not None
                    with place.open("wb") as stream:
                        shutil.copyfileobj(content, stream, 1 << 20)
        except FileNotFoundError:
            raise WsbError("no-such-file", f"there is no bundle {path}", hints=["`wsb bundle` writes one"]) from None
        except (tarfile.TarError, OSError) as error:
            raise WsbError("bad-value", f"{path} is no bundle: {error}", hints=["`wsb bundle` writes one"]) from None
        yield _read(Path(scratch))


def _read(folder: Path) -> Bundle:
    try:
        told = json.loads((folder / "bundle.json").read_bytes())
        if told["schema"] != SCHEMA:
            raise ValueError(f"its schema is {told['schema']}")
        lock = parse((folder / FILE).read_text("utf-8"), str(folder / FILE))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WsbError("bad-value", f"{folder} is no bundle: {error}", hints=["`wsb bundle` writes one"]) from None
    return Bundle(directory=folder, lock=lock)


def check_same(carried: LockedPlatform, own: Lock | None) -> None:
    """A project's own wsb.lock must be the bundle's. Raises WsbError lock-outdated, with what differs."""
    mine = own.of(carried.platform) if own else None
    if mine is None or digest(mine) == digest(carried):
        return
    raise WsbError(
        "lock-outdated",
        f"the bundle was made from another {FILE} than this project has",
        where=Location(file=FILE),
        details=changes(carried, mine)[:10],
        hints=["make the bundle again: `wsb bundle`; or take the lock it was made from out of version control"],
    )


def load_base(engine: Engine, bundle: Bundle, maker: Maker) -> None:
    """Hand the bundle's base to the engine; whether it is the locked one is looked at when it is used."""
    with bundle.base.open("rb") as stream:
        engine.load(stream, maker.listener)
