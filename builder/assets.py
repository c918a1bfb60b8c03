"""Every file that travels with the package, named in this one place: tables, templates, probes, scripts.

In a checkout the templates lie at the top of the repository; in an installed wheel they lie in builder/_assets.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent


@cache
def assets_dir() -> Path:
    """The folder that holds dockerfiles/ and devcontainer/."""
    packaged = PACKAGE / "_assets"
    return packaged if packaged.is_dir() else PACKAGE.parent


def dockerfile_templates() -> dict[str, str]:
    """Path below dockerfiles/ → text, of every template and every file that is copied verbatim."""
    return _texts(assets_dir() / "dockerfiles")


def devcontainer_parts() -> dict[str, dict[str, Any]]:
    """Path below devcontainer/ without .json → document, of the base, its overlays, and what the image carries."""
    texts = _texts(assets_dir() / "devcontainer")
    return {path.removesuffix(".json"): json.loads(text) for path, text in texts.items() if path.endswith(".json")}


def devcontainer_templates() -> dict[str, str]:
    """Path below devcontainer/ → text, of the templates there."""
    return {path: text for path, text in _texts(assets_dir() / "devcontainer").items() if path.endswith(".j2")}


def probe_sources() -> dict[str, str]:
    """File name → text of the probes that are copied into the image."""
    return {path.name: path.read_text("utf-8") for path in sorted((PACKAGE / "verify" / "probes").glob("*.py"))}


def installed_probe() -> str:
    """The script that says what is installed in an image; handed to its Python, not copied into it."""
    return (PACKAGE / "packages" / "inside.py").read_text("utf-8")


def table(name: str) -> bytes:
    """The bytes of builder/data/<name>."""
    return (PACKAGE / "data" / name).read_bytes()


def _texts(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
