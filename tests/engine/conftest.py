"""The engine that tests run on: the one DOCKER_HOST or the current docker context names."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.support import containers
from tests.support import engine as bring_up
from tests.support.private_engine import CONTAINERD_STORE, NoPrivateEngine, PrivateEngine, private_engine
from tests.support.tiny_image import tiny_image


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    bring_up.ensure()
    found = DockerEngine.connect(os.environ)
    yield found
    found.close()


@pytest.fixture(scope="session")
def cdi_engine(request: pytest.FixtureRequest) -> Iterator[PrivateEngine]:
    """An engine of this run's own that hands in CDI devices; `environ` reaches it, with a docker and buildx that fit."""
    try:
        with private_engine(request.config.rootpath / ".cache") as running:
            yield running
    except NoPrivateEngine as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def packed_engine(request: pytest.FixtureRequest) -> Iterator[PrivateEngine]:
    """The same with the containerd image store: it holds images as registries do, manifests and packed layers."""
    try:
        with private_engine(request.config.rootpath / ".cache", features=[CONTAINERD_STORE]) as running:
            yield running
    except NoPrivateEngine as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def tiny(engine: DockerEngine) -> str:
    """The name of a two-megabyte image with a shell."""
    return tiny_image(engine)


@pytest.fixture
def name(engine: DockerEngine) -> Iterator[str]:
    """An image name of this test's own, gone afterwards."""
    unique = f"wsbtest-engine-{secrets.token_hex(4)}:1"
    yield unique
    engine.remove_image(unique)


@pytest.fixture
def label(engine: DockerEngine) -> Iterator[str]:
    """A label for a test's containers; none may be left when it ends."""
    unique = secrets.token_hex(4)
    yield unique
    assert containers(engine, unique) == []
