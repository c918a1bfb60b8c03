"""Every error a user can meet: what happened, where, what exists instead, and the next step.

Raise a WsbError, or a Problems that holds several found in one run; the cli prints them and takes the exit code from
them. Any other exception that reaches the cli is a bug in wsb (exit code 70).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from builder.model.values import Location


class ExitCode(IntEnum):
    """Exit codes of the wsb command; tests and scripts rely on them."""

    DONE = 0
    ANSWER_IS_NO = 1
    USAGE = 2
    NOTHING_COMPATIBLE = 3
    ENGINE = 4
    BUILD_FAILED = 5
    BUG = 70
    INTERRUPTED = 130


# One line a code: the code a script sees, and the exit code that goes with it.
EXIT_CODES: dict[str, ExitCode] = {
    "unknown-key": ExitCode.USAGE,
    "duplicate-key": ExitCode.USAGE,
    "missing-key": ExitCode.USAGE,
    "bad-value": ExitCode.USAGE,
    "bad-yaml": ExitCode.USAGE,
    "no-such-file": ExitCode.USAGE,
    "terms-not-accepted": ExitCode.USAGE,
    "lock-outdated": ExitCode.USAGE,
    "wrong-name": ExitCode.USAGE,
    "not-declared": ExitCode.ANSWER_IS_NO,
    "file-was-edited": ExitCode.ANSWER_IS_NO,
    "no-such-gpu": ExitCode.ANSWER_IS_NO,
    "gpu-busy": ExitCode.ANSWER_IS_NO,
    "no-such-torch": ExitCode.NOTHING_COMPATIBLE,
    "python-not-supported": ExitCode.NOTHING_COMPATIBLE,
    "gpu-not-supported": ExitCode.NOTHING_COMPATIBLE,
    "driver-too-old": ExitCode.NOTHING_COMPATIBLE,
    "glibc-too-old": ExitCode.NOTHING_COMPATIBLE,
    "platform-not-supported": ExitCode.NOTHING_COMPATIBLE,
    "no-such-base": ExitCode.NOTHING_COMPATIBLE,
    "no-such-package": ExitCode.NOTHING_COMPATIBLE,
    "no-such-build": ExitCode.NOTHING_COMPATIBLE,
    "engine-unreachable": ExitCode.ENGINE,
    "engine-too-old": ExitCode.ENGINE,
    "engine-lost": ExitCode.ENGINE,
    "engine-refused": ExitCode.ENGINE,
    "gpu-refused": ExitCode.ENGINE,
    "base-unreachable": ExitCode.ENGINE,
    "source-unreachable": ExitCode.ENGINE,
    "registry-refused": ExitCode.ENGINE,
    "disk-full": ExitCode.ENGINE,
    "image-missing": ExitCode.ENGINE,
    "tool-missing": ExitCode.ENGINE,
    "cannot-write": ExitCode.ENGINE,
    "cluster-unreachable": ExitCode.ENGINE,
    "cluster-refused": ExitCode.ENGINE,
    "no-such-job": ExitCode.USAGE,
    "build-failed": ExitCode.BUILD_FAILED,
    "content-differs": ExitCode.BUILD_FAILED,
    "interrupted": ExitCode.INTERRUPTED,
}


@dataclass
class WsbError(Exception):
    """One thing that went wrong.

    code: a key of EXIT_CODES. where: the place in a file the user can edit. hints: next steps, each one sentence.
    details: lines to show below the message as they are (the last lines of a failed step, what exists instead).
    """

    code: str
    message: str
    where: Location | None = None
    hints: Sequence[str] = ()
    details: Sequence[str] = ()

    def __post_init__(self) -> None:
        Exception.__init__(self, self.message)
        if self.code not in EXIT_CODES:
            raise ValueError(f"no exit code for error code {self.code!r}")

    @property
    def exit_code(self) -> ExitCode:
        return EXIT_CODES[self.code]

    def __str__(self) -> str:
        return self.message


@dataclass
class Problems(Exception):
    """All that is wrong with an input, found in one run; never empty."""

    errors: Sequence[WsbError] = field(default_factory=list)

    def __post_init__(self) -> None:
        Exception.__init__(self, "; ".join(error.message for error in self.errors))
        if not self.errors:
            raise ValueError("Problems needs at least one error")

    @property
    def exit_code(self) -> ExitCode:
        """The first one's; they are all of one kind in practice."""
        return self.errors[0].exit_code
