"""Every file that travels with the package, named in this one place: tables, templates, probes, scripts.

In a checkout the templates lie at the top of the repository; in an installed wheel they lie in builder/_assets.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@cache
def assets_dir() -> Path:
    """The folder that holds dockerfiles/ and devcontainer/."""
    packaged = PACKAGE / "_assets"
    return packaged if packaged.is_dir() else PACKAGE.parent


def dockerfile_templates() -> dict[str, str]:
    """Path below dockerfiles/ → text, of every template and every file that is copied verbatim."""
    return _texts(assets_dir() / "dockerfiles")


def devcontainer_files() -> dict[str, str]:
    """Path below devcontainer/ → text."""
    return _texts(assets_dir() / "devcontainer")


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
