"""A container of an image under test, by testcontainers: started for a `with` block, gone after it.

testcontainers' own reaper is an image from a registry; these tests must run where none is reached, so it is off and the
`with` block removes the container.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # read once, when testcontainers is imported


@contextmanager
def container_of(
    image: str, *, user: str | None = None, command: str = "sleep 600", env: Mapping[str, str] | None = None, **options: Any
) -> Iterator[Any]:
    """The docker SDK's container of a running image. options: as `docker.containers.run` takes them."""
    from testcontainers.core.container import DockerContainer

    if user is not None:
        options["user"] = user
    started = DockerContainer(image, command=command, env=dict(env or {}), init=True, **options)
    with started as running:
        yield running.get_wrapped_container()
