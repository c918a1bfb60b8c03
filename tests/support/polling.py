"""Waiting for something that another process does, without a fixed sleep."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """Returns as soon as the condition holds. Raises AssertionError when it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {timeout_s:.0f} s: {what}"
        time.sleep(0.02)
