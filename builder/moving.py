"""A finished image on its way to other machines: as a file, or through a registry under names that tell what is in it."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from builder.engine.base import Engine, ImageInfo, Listener, Note, Pushed
from builder.errors import WsbError
from builder.model.values import Location
from builder.sharing import push_as, remote_name

PLAN, LOCK = "dev.wsb.plan.digest", "dev.wsb.lock"


def save(engine: Engine, name: str, target: Path) -> None:
    """The image with its name, into target, compressed when that ends in .gz: whole, or not at all."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
            beside = Path(scratch) / target.name
            # no time in the header, so that the same image gives the same file
            opened = gzip.GzipFile(beside, "wb", 6, mtime=0) if target.suffix == ".gz" else beside.open("wb")
            with opened as stream:
                for piece in engine.save([name]):
                    stream.write(piece)
            beside.rename(target)
    except OSError as error:
        code = "disk-full" if error.errno == 28 else "bad-value"
        raise WsbError(code, f"cannot write {target}: {error.strerror}", where=Location(file=str(target))) from error


def load(engine: Engine, source: Path, listener: Listener) -> tuple[str, ...]:
    """Names of the images that came in. Raises WsbError no-such-file, bad-value and the engine's own."""
    try:
        with source.open("rb") as probe:
            is_compressed = probe.read(2) == b"\x1f\x8b"
        with gzip.open(source) if is_compressed else source.open("rb") as stream:
            return engine.load(cast("BinaryIO", stream), listener)
    except FileNotFoundError:
        raise WsbError("no-such-file", f"there is no file {source}", hints=["`wsb save` writes one"]) from None
    except gzip.BadGzipFile as error:
        raise WsbError("bad-value", f"{source} is cut off or damaged: {error}") from error


def content_tag(plan: str, lock: str) -> str:
    """The tag that tells what an image was made from: its lock where it has one, else its plan."""
    kind, digest = ("lock", lock) if lock else ("plan", plan)
    return f"{kind}-{digest.removeprefix('sha256:')[:32]}"


def push(engine: Engine, image: ImageInfo, registry: str, name: str, listener: Listener) -> tuple[Pushed, ...]:
    """By what it was made from, then by name, so that who follows the name finds all of it."""
    tags = (content_tag(image.labels.get(PLAN, ""), image.labels.get(LOCK, "")), "latest")
    return tuple(push_as(engine, image, remote_name(registry, name, tag), listener) for tag in tags)


def pull_first(
    engine: Engine, registry: str, name: str, plan: str, lock: str, platform: str, listener: Listener
) -> ImageInfo | None:
    """The image that somebody made from this very lock or plan, tagged as if it had been built; None when there is none.

    Raises nothing for a registry without it or out of reach: then it is built. Raises WsbError content-differs for an image
    that is not what its tag says.
    """
    reference = remote_name(registry, name, content_tag(plan, lock))
    try:
        found = engine.pull(reference, platform, listener)
    except WsbError as error:
        listener(Note(text=f"not in the registry: {reference} ({error.details[0] if error.details else error.message})"))
        return None
    if found.labels.get(PLAN) != plan or found.labels.get(LOCK, "") != lock:
        raise WsbError("content-differs", f"{reference} was made from another lock or plan than its tag says")
    engine.tag(found.id, f"{name}:latest")
    engine.remove_image(reference)
    return found
