"""Small programs that stand for ones that are not installed, first on a PATH of their own."""

from __future__ import annotations

import os
from pathlib import Path


def programs(folder: Path, **bodies: str) -> str:
    """A PATH that begins with these programs, shell scripts by name; the rest of this machine's follows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
