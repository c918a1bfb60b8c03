"""One at a time: what several projects share is made by the first `wsb build` that needs it, and found by the others.

Two builds that start together would otherwise both make the base and torch, and the second would take the names from the
first, whose next build then starts anew. A lock that cannot be had (no writable temporary folder) is done without.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(name: str, on_wait: Callable[[], None], folder: Path | None = None) -> Iterator[None]:
    """Hold the machine-wide turn of this name; on_wait is called once when somebody else has it.

    The turn ends with the process that holds it, however that ends. folder: where the lock lies, the temporary folder by
    default, so that the users of one machine share it.
    """
    lock = _open((folder or Path(tempfile.gettempdir())) / f"wsb-{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock")
    if lock is None:
        yield
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open(path: Path) -> int | None:
    """The lock's file, which stays: removing it would give two holders. None where it cannot be had."""
    try:
        # an existing one is opened without O_CREAT: the kernel refuses that for another user's file in a shared folder
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        pass
    except OSError:
        return None
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        os.fchmod(lock, 0o666)  # past the umask: every user of the machine takes part
    except OSError:
        return None
    return lock
