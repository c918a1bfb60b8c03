"""What a log says went wrong: known causes in the order of cause, and errors that the catalogue does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from builder.model.frozen import frozen


class Role(str, Enum):
    """What a known error is in a chain of failures."""

    CAUSE = "cause"
    CONSEQUENCE = "consequence"  # another one failed first: a rank that waited, a worker that was killed
    NOTICE = "notice"  # worth knowing; by itself it stops nothing


@frozen
class KnownCause:
    """A known error found in a log.

    id: of the catalogue. line: of the log, from 1. text: that line, without colours and prefixes.
    facts: what the message tells by name, such as {"module": "cv2"}.
    """

    id: str
    role: Role
    line: int
    text: str
    cause: str
    remedy: str
    source: str
    facts: Mapping[str, str] = field(default_factory=dict)


@frozen
class UnknownError:
    """An error that no entry of the catalogue matches. package: whose code raised it, "" when the log does not tell."""

    line: int
    text: str
    package: str = ""


@frozen
class Diagnosis:
    """findings: the first is the cause. unknown: in the order of the log; empty where the findings explain the errors."""

    findings: tuple[KnownCause, ...] = ()
    unknown: tuple[UnknownError, ...] = ()
