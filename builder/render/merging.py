"""JSON objects laid over one another: how a dev container's file is put together from its base and its overlays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(*documents: Mapping[str, Any]) -> dict[str, Any]:
    """Objects are merged key by key, lists are joined, and of everything else the last one holds. Nothing is changed."""
    result: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            result[key] = _joined(result[key], value) if key in result else _copy(value)
    return result


def _joined(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, Mapping):
        return merged(below, above)
    if isinstance(below, list) and isinstance(above, list):
        return [*below, *above]
    return _copy(above)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return merged(value)
    return [_copy(one) for one in value] if isinstance(value, (list, tuple)) else value
