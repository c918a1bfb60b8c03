"""What docker buildx prints with --progress=rawjson: BuildKit's own progress as JSON, told like the other engine's trace."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from builder.engine import trace


def read(lines: Iterable[bytes]) -> Iterator[trace.StatusResponse | str]:
    """What buildx prints with --progress=rawjson: its documents, each on one line or on many, and what it says to people."""
    begun: list[bytes] = []
    for line in lines:
        if not begun and line.startswith(b"{"):
            status = parse(line)
            if status is not None:
                yield status
            else:
                begun = [line]
        elif begun:
            begun.append(line)
            if line.rstrip() == b"}":
                status = parse(b"".join(begun))
                begun = []
                if status is not None:
                    yield status
        elif line.strip():
            yield line.decode("utf-8", "replace").rstrip()


def parse(document: bytes) -> trace.StatusResponse | None:
    """One document of the progress; None for what is none."""
    try:
        told = json.loads(document)
        return trace.StatusResponse(
            vertexes=tuple(_vertex(one) for one in told.get("vertexes") or ()),
            statuses=tuple(_status(one) for one in told.get("statuses") or ()),
            logs=tuple(_log(one) for one in told.get("logs") or ()),
            warnings=tuple(_warning(one) for one in told.get("warnings") or ()),
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def _vertex(one: Mapping[str, Any]) -> trace.Vertex:
    return trace.Vertex(
        digest=one["digest"],
        name=one.get("name") or "",
        is_cached=bool(one.get("cached")),
        started=_nanoseconds(one.get("started")),
        completed=_nanoseconds(one.get("completed")),
        error=one.get("error") or "",
    )


def _status(one: Mapping[str, Any]) -> trace.Status:
    return trace.Status(
        id=one.get("id") or "",
        vertex=one.get("vertex") or "",
        name=one.get("name") or "",
        current=int(one.get("current") or 0),
        total=int(one.get("total") or 0),
    )


def _log(one: Mapping[str, Any]) -> trace.Log:
    data = base64.b64decode(one.get("data") or "", validate=True)
    return trace.Log(vertex=one.get("vertex") or "", stream=int(one.get("stream") or 0), data=data)


def _warning(one: Mapping[str, Any]) -> trace.Warned:
    return trace.Warned(vertex=one.get("vertex") or "", short=_text(one.get("short")))


def _text(data: object) -> str:
    return base64.b64decode(data).decode("utf-8", "replace") if isinstance(data, str) else ""


def _nanoseconds(text: str | None) -> int | None:
    """Of 2026-11-25T20:03:52.218771263Z, since 1970."""
    if not text:
        return None
    whole, _, rest = text.partition(".")
    digits = re.match(r"\d*", rest)
    seconds = datetime.fromisoformat(whole.rstrip("Z")[:19] + "+00:00").timestamp()
    return int(seconds) * 1_000_000_000 + int((digits[0] if digits else "").ljust(9, "0")[:9] or 0)
