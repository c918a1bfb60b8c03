"""What the finished image answered when it was asked whether it is what the Plan says."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

from builder.model.frozen import frozen


class Status(str, Enum):
    """skip always comes with the reason in hint; warn is a pass that someone should read."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"


class Severity(str, Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@frozen
class Check:
    """One answered check. id: dotted, stable. measured, expected: JSON values. seconds: wall time of its process."""

    id: str
    group: str
    status: Status
    measured: Any = None
    expected: Any = None
    seconds: float = 0.0
    hint: str = ""


@frozen
class Report:
    """device: "none", "mock", or the name of the GPU the checks really ran on."""

    image: str
    device: str
    checks: tuple[Check, ...]

    def count(self, status: Status) -> int:
        return sum(check.status is status for check in self.checks)

    @property
    def has_passed(self) -> bool:
        """Something ran, and nothing failed."""
        return self.count(Status.FAIL) == 0 and self.count(Status.PASS) > 0


@frozen
class Finding:
    """One thing doctor, verify or diagnose has to say.

    link: of doctor's chain, where it belongs to one. fix: commands that remedy it and can do no harm.
    """

    id: str
    severity: Severity
    message: str
    remedy: str = ""
    source: str = ""
    link: str = ""
    fix: tuple[tuple[str, ...], ...] = ()


Groups = Literal["environment", "torch", "compute", "gpu", "data"]
