"""The pip: section of an environment file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .envfile import EnvironmentFile
from .errors import CondaEnvException
from .settings import Settings


def install(settings: Settings, prefix: Path, file: EnvironmentFile) -> None:
    """The pip: section, by the environment's own pip, beside the file so that `-r other.txt` and `-e .` are found."""
    if not file.pip:
        return
    beside = file.path.resolve().parent
    workdir = beside if os.access(beside, os.W_OK) else None
    _say(settings, "Installing pip dependencies: ...working... ")
    with tempfile.NamedTemporaryFile(
        "w", prefix="condaenv.", suffix=".requirements.txt", dir=workdir, delete=True
    ) as requirements:
        requirements.write("\n".join(file.pip))
        requirements.flush()
        command = [f"{prefix}/bin/python", "-m", "pip", "install", "-U", "-r", requirements.name, "--exists-action=b"]
        done = subprocess.run(command, cwd=workdir, capture_output=True, text=True, check=False)
    _say(settings, f"Ran pip subprocess with arguments:\n{command}\nPip subprocess output:\n{done.stdout}")
    if done.returncode:
        print(f"Pip subprocess error:\n{done.stderr}", file=sys.stderr)
        raise CondaEnvException("Pip failed")
    _say(settings, "done")


def _say(settings: Settings, text: str) -> None:
    if not settings["quiet"]:
        print(text)
