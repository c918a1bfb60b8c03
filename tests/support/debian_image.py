"""A plain Debian image on the engine, made once from Debian's own packages: what installers are tried in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.engine.base import Engine
from builder.host import bootstrap
from tests.support.channel import exclusive


def debian_image(engine: Engine, cache_dir: Path, suite: str = "bookworm") -> str:
    """The image's name. Skips where no base can be made. The tar is kept in `cache_dir`, the image on the engine."""
    name = f"wsbtest/debian:{suite}"
    if engine.image(name) is not None:
        return name
    if not bootstrap.is_possible():
        pytest.skip("needs mmdebstrap to make a plain Debian image: apt-get install mmdebstrap")
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    with exclusive(cache_dir, f"debian-{suite}"):
        tar = cache_dir / f"debian-{suite}.tar"
        if not tar.is_file():
            with bootstrap.rootfs(suite, arch=architecture, mirror=None, environ=os.environ, say=lambda _: None) as made:
                beside = tar.with_suffix(".part")
                beside.write_bytes(made.read())
                beside.rename(tar)
        with tar.open("rb") as stream:
            engine.import_rootfs(stream, name, ["ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
    return name
