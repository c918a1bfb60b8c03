"""What is said while deciding: decisions with reasons, warnings, and steps taken because a source was out of reach."""

from __future__ import annotations

from collections.abc import Iterable

from builder.model.plan import Decision, Fallback, Rejected, Warned


class Notes:
    """Collects, in the order in which things were decided."""

    def __init__(self) -> None:
        self._decisions: dict[str, Decision] = {}
        self._warnings: dict[tuple[str, str], Warned] = {}
        self.fallbacks: list[Fallback] = []

    def decide(self, field: str, value: object, because: str, rejected: Iterable[Rejected] = ()) -> None:
        """A later decision on the same field replaces the earlier one and keeps what that one rejected."""
        earlier = self._decisions.pop(field, None)
        kept = earlier.rejected if earlier else ()
        self._decisions[field] = Decision(field=field, value=str(value), because=because, rejected=(*kept, *rejected))

    def warn(self, code: str, message: str) -> None:
        self._warnings.setdefault((code, message), Warned(code=code, message=message))

    def fall_back(self, source: str, wanted: str, taken: str, because: str) -> None:
        self.fallbacks.append(Fallback(source=source, wanted=wanted, taken=taken, because=because))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self._decisions.values())

    @property
    def warnings(self) -> tuple[Warned, ...]:
        return tuple(self._warnings.values())


def rejected(value: object, because: str) -> Rejected:
    return Rejected(value=str(value), because=because)
