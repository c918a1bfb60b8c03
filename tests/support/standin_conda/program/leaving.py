"""The end of a command. rattler's threads may still be at work then, and abort a Python that is being torn down."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process with this exit code, and nothing else."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
