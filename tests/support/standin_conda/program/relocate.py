"""Moves a freshly unpacked base environment to where it now lies; the installer runs this once.

A folder that hands its group on (mode 2775) keeps doing so below: the real installer makes its folders one by one, where
tar sets their modes afterwards.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

LIST = ".standin-relocate"


def main(prefix: Path) -> None:
    listed = prefix / LIST
    placeholder, *names = listed.read_text().splitlines()
    for name in names:
        path = prefix / name
        path.write_text(path.read_text(encoding="utf-8").replace(placeholder, str(prefix)), encoding="utf-8")
    listed.unlink()
    status = prefix.stat()
    if status.st_mode & stat.S_ISGID:
        for path in prefix.rglob("*"):
            os.chown(path, -1, status.st_gid, follow_symlinks=False)
            if path.is_dir() and not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_ISGID)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
