"""Other people on this machine, for tests of whose files are whose: made where nobody has the uid, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Person:
    """uid, and a folder of theirs that is reached by every user of this machine (pytest's own is not)."""

    uid: int
    home: Path

    def owns(self, folder: Path) -> Path:
        """The folder, everything in it made this person's."""
        for where, folders, files in os.walk(folder):
            for name in (".", *folders, *files):
                os.chown(Path(where) / name, self.uid, self.uid, follow_symlinks=False)
        return folder


@contextmanager
def person(uid: int) -> Iterator[Person]:
    """Somebody with this uid in the body. Only root can make people."""
    name = f"wsbtest{uid}"
    is_made = not _has(uid)
    if is_made:
        home = ("--no-create-home", "--home-dir", "/nonexistent")
        subprocess.run(["useradd", "--uid", str(uid), "--user-group", *home, name], check=True, capture_output=True)
    folder = Path(tempfile.mkdtemp(prefix="wsb-person-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        os.chown(folder, uid, uid)
        yield Person(uid=uid, home=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if is_made:
            # by force: a client of a container that was just removed may be about to end
            subprocess.run(["userdel", "--force", name], check=False, capture_output=True)


def _has(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False
