"""The last part of what a command printed, kept while it goes by, for the case that the command fails."""

from __future__ import annotations

import io
from collections import deque
from typing import Final

from builder.model.diagnosis import KnownCause, Role

LIMIT_BYTES: Final = 1 << 19
# What a code says that the command itself had no time to say: it was killed, or crashed.
_SAID_BY_CODE: Final = {137: "exited with code 137", 139: "exited with code 139"}


class Tail:
    """Call it with each piece of output; it costs nothing to speak of, and never more memory than the limit."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def __call__(self, data: bytes) -> None:
        self._pieces.append(data[-self._limit :])
        self._size += len(self._pieces[-1])
        while self._size - len(self._pieces[0]) >= self._limit:
            self._size -= len(self._pieces.popleft())

    @property
    def output(self) -> bytes:
        return b"".join(self._pieces)[-self._limit :]

    def known_cause(self, exit_code: int) -> KnownCause | None:
        """Why the command failed, where the catalogue knows it; None for a command that did not fail."""
        if exit_code == 0:
            return None
        said = _SAID_BY_CODE.get(exit_code, "")
        return first_cause(self.output + f"\n{said}".encode())


def first_cause(output: bytes) -> KnownCause | None:
    """The finding that output ends in failure for; notices are none."""
    from builder.doctor.diagnose import diagnose  # only a command that failed waits for the catalogue

    findings = diagnose(io.BytesIO(output)).findings
    return next((finding for finding in findings if finding.role is not Role.NOTICE), None)
