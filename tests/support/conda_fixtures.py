"""Fixtures for tests that need a conda channel or one of the stand-in installers.

A conftest takes them with `from tests.support.conda_fixtures import *`; everything is made once and kept in .cache/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.channel import NoDebianTools, build_channel
from tests.support.http_server import serve
from tests.support.standin_conda import make_installer, make_micromamba

__all__ = ["cache_dir", "channel_url", "conda_channel", "miniconda_installer", "miniforge_installer", "standin_micromamba"]


@pytest.fixture(scope="session")
def cache_dir(request: pytest.FixtureRequest) -> Path:
    """Kept between runs, ignored by git."""
    return request.config.rootpath / ".cache"


@pytest.fixture(scope="session")
def conda_channel(cache_dir: Path) -> Path:
    """The folder of local channels: conda-forge, extra, pkgs/main and pkgs/r."""
    try:
        return build_channel(cache_dir)
    except NoDebianTools as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def channel_url(conda_channel: Path) -> Iterator[str]:
    """The channels on loopback: for this machine, and for containers and builds on the host's network."""
    with serve(conda_channel) as url:
        yield url


@pytest.fixture(scope="session")
def miniconda_installer(conda_channel: Path, cache_dir: Path) -> Path:
    return make_installer("miniconda", cache_dir)


@pytest.fixture(scope="session")
def miniforge_installer(conda_channel: Path, cache_dir: Path) -> Path:
    return make_installer("miniforge", cache_dir)


@pytest.fixture(scope="session")
def standin_micromamba(conda_channel: Path, cache_dir: Path) -> Path:
    """A .tar.bz2 with bin/micromamba in it."""
    return make_micromamba(cache_dir)
