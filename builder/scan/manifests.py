"""Files besides requirements*.txt and environment.yml that a plan can be made from, by their name."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from builder.scan.items import Item

Reader = Callable[[str, str], tuple[Item, ...]]


def manifest_reader(path: str) -> Reader | None:
    """The reader of pyproject.toml, pixi.toml, setup.py, setup.cfg or Pipfile; None for other names."""
    match posixpath.basename(path):
        case "pyproject.toml" | "pixi.toml":
            from builder.scan.pyproject import read_pyproject

            return read_pyproject
        case "setup.py":
            from builder.scan.setup_files import read_setup_py

            return read_setup_py
        case "setup.cfg":
            from builder.scan.setup_files import read_setup_cfg

            return read_setup_cfg
        case "Pipfile":
            from builder.scan.setup_files import read_pipfile

            return read_pipfile
    return None
