"""What an image stands on: a base from the engine, a registry or the distribution's packages, or exactly the locked one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from builder.engine.base import Engine, ImageInfo, Listener, Note
from builder.engine.translate import registry_of
from builder.errors import WsbError
from builder.host import bootstrap
from builder.model.lock import LockedBase
from builder.model.plan import Plan
from builder.render.dockerfile import base_at_digest

# A base with this label comes out of the same packages byte for byte again.
REPEATABLE = "dev.wsb.repeatable"


def base_of(
    engine: Engine, plan: Plan, environ: Mapping[str, str], listener: Listener, *, must_be_repeatable: bool = False
) -> ImageInfo:
    """The base of a plan. must_be_repeatable: a bootstrapped base from before bases were repeatable is made again."""
    found = engine.image(plan.base.image)
    if found is not None and not (must_be_repeatable and plan.base.bootstrap and REPEATABLE not in found.labels):
        return found
    if plan.base.bootstrap is None:
        return _pulled(engine, plan, plan.base.image, listener)
    return _bootstrapped(engine, plan, plan.base.image, environ, listener)


def _pulled(engine: Engine, plan: Plan, image: str, listener: Listener) -> ImageInfo:
    """From its registry, or from the mirror of Docker Hub that sources name; then under its own name all the same."""
    place = mirrored(image, plan.sources.used.registry)
    listener(Note(text=f"pulling {place}"))
    found = engine.pull(place, plan.platform, listener)
    if place != image and "@" not in image:
        engine.tag(found.id, image)
    return found


def repository_of(image: str) -> str:
    """An image's name without tag and digest."""
    bare = image.partition("@")[0]
    head, colon, tag = bare.rpartition(":")
    return head if colon and "/" not in tag else bare


def mirrored(image: str, registry: str | None) -> str:
    """Where a mirror of Docker Hub has this image; images of other registries are left where they are."""
    if registry is None or registry_of(image) != "docker.io" or image.startswith("wsb/"):
        return image
    bare = image.removeprefix("docker.io/")
    return f"{registry.rstrip('/')}/{bare if '/' in bare else f'library/{bare}'}"


def _bootstrapped(engine: Engine, plan: Plan, tag: str, environ: Mapping[str, str], listener: Listener) -> ImageInfo:
    assert plan.base.bootstrap is not None
    listener(Note(text=f"making the base {tag} from Debian's own packages (about half a minute)"))
    with bootstrap.rootfs(
        plan.base.bootstrap,
        arch=plan.platform.partition("/")[2],
        mirror=plan.sources.used.apt,
        environ=environ,
        say=lambda text: listener(Note(text=text)),
    ) as tar:
        return engine.import_rootfs(
            tar, tag, ['CMD ["bash"]', f"LABEL dev.wsb.suite={plan.base.bootstrap}", f"LABEL {REPEATABLE}=yes"]
        )


def locked_base(
    engine: Engine, plan: Plan, locked: LockedBase, date: str, environ: Mapping[str, str], listener: Listener
) -> tuple[ImageInfo, str]:
    """The image with exactly the locked layers, and a name under which a Dockerfile finds it on this engine.

    Raises WsbError content-differs when neither registry nor mirror has it any more.
    """
    name = f"wsb/base:locked-{hashlib.sha256(' '.join(locked.layers).encode()).hexdigest()[:16]}"
    for candidate in (name, locked.image):
        found = engine.image(candidate)
        if found is not None and found.layers == locked.layers:
            engine.tag(found.id, name)
            return found, name
    if locked.digest:
        made = _pulled(engine, plan, base_at_digest(locked), listener)
    elif plan.base.bootstrap is None:  # an image that was in no registry when it was locked; it may be in one by now
        made = _pulled(engine, plan, locked.image, listener)
    else:
        made = _made_again(engine, plan, locked, date, name, environ, listener)
    if made.layers != locked.layers:
        raise _differs(locked, made)
    engine.tag(made.id, name)
    return made, name


def _made_again(
    engine: Engine, plan: Plan, locked: LockedBase, date: str, name: str, environ: Mapping[str, str], listener: Listener
) -> ImageInfo:
    """From the mirror; where that has moved on, from the archive of all its days."""
    made = _bootstrapped(engine, plan, name, environ, listener)
    if made.layers == locked.layers:
        return made
    engine.remove_image(name)
    snapshot = f"http://snapshot.debian.org/archive/debian/{date}"
    listener(Note(text=f"the mirror has newer packages than the locked base; trying {snapshot}"))
    try:
        return _bootstrapped(engine, replace(plan, sources=replace(plan.sources, apt=snapshot)), name, environ, listener)
    except WsbError as error:
        raise _differs(locked, made, why=error.message) from error


def _differs(locked: LockedBase, made: ImageInfo, why: str = "") -> WsbError:
    return WsbError(
        "content-differs",
        f"the base {locked.image} is not the one that wsb.lock names, and that one is nowhere to be had",
        details=[f"locked: {' '.join(locked.layers)}", f"here:   {' '.join(made.layers)}", *([why] if why else [])],
        hints=[
            "a bundle carries the base itself: `wsb build --bundle DIR`; so does a registry: `wsb build --pull-first`",
            "`wsb lock --upgrade` takes the base of today",
        ],
    )
