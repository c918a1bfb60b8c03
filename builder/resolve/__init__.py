"""The rules that decide: Spec × Catalog × Host → Plan. Pure: same input, same plan; no disk, clock or network."""

from __future__ import annotations

from builder.resolve.document import digest, plan_json
from builder.resolve.resolve import resolve

__all__ = ["digest", "plan_json", "resolve"]
