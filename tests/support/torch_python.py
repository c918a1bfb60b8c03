"""A virtual environment with torch, from a wheel that lies in a folder pip is configured with; made once and kept.

Nothing of torch's size is fetched for a test: without such a wheel there is no torch here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from builder.host.pip_config import read_pip_config
from tests.support.channel import exclusive


class NoTorch(RuntimeError):
    """A reason to skip."""


def made_torch_python(cache_dir: Path) -> Path:
    """Its interpreter. Raises NoTorch."""
    wheel = _wheel()
    if wheel is None:
        raise NoTorch("no folder that pip is configured with (find-links) has a torch wheel for this Python")
    folder = cache_dir / f"python-{wheel.stem}"
    python = folder / "bin" / "python"
    with exclusive(cache_dir, "torch-python"):
        if not (folder / "made").exists():
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            # without bytecode: it would take longer to write than these tests take to do without
            _run(
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-compile",
                "--disable-pip-version-check",
                str(wheel),
                "numpy",
            )
            (folder / "made").touch()
    return python


def _wheel() -> Path | None:
    tags = set(sys_tags())
    fitting = []
    for path in read_pip_config(os.environ, Path.home()).wheels():
        try:
            name, version, _, of = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        if name == "torch" and of & tags:
            fitting.append((version, path))
    return max(fitting)[1] if fitting else None


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoTorch(f"a Python with torch could not be made: {done.stderr.strip()[-500:]}")
