"""What people write on the command line, in the spelling that Kubernetes wants: names, sizes, times, claims."""

from __future__ import annotations

import re
from typing import Final

from builder.errors import WsbError
from builder.model.frozen import frozen

_NAME_LIMIT: Final = 42  # what is added to it must still be a DNS label: -workers-0-123


@frozen
class Claim:
    """A persistent volume claim of the namespace, mounted into the container."""

    name: str
    target: str
    is_read_only: bool = False


def object_name(name: str, suffix: str) -> str:
    """A DNS label that begins with the job's name."""
    label = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "job"
    if not label[0].isalpha():
        label = f"j-{label}"
    return f"{label[: _NAME_LIMIT - len(suffix) - 1].rstrip('-')}-{suffix}"


def parse_claim(text: str) -> Claim:
    """CLAIM:/TARGET[:ro]. Raises WsbError bad-value."""
    name, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name) or not target.startswith("/") or mode not in ("", "ro", "rw"):
        raise WsbError(
            "bad-value",
            f"the mount {text!r} is not CLAIM:/TARGET or CLAIM:/TARGET:ro",
            hints=["pods mount persistent volume claims of their namespace: `kubectl get pvc` lists them"],
        )
    return Claim(name=name, target=target.rstrip("/") or "/", is_read_only=mode == "ro")


def seconds(limit: str) -> int | None:
    """A time limit as Slurm writes it (MIN, MIN:SEC, H:M:S, D-H, D-H:M, D-H:M:S); None for "". Raises WsbError."""
    if not limit:
        return None
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", limit)
    if not found:
        raise WsbError("bad-value", f"--time {limit!r} is no time limit", hints=["such as 30 (minutes), 2:00:00 or 1-12"])
    days, *parts = found.groups()
    numbers = [int(part) for part in parts if part is not None]
    if days is not None or len(numbers) == 3:
        hours, minutes, rest = [*numbers, 0, 0][:3]
    else:
        hours, minutes, rest = 0, *[*numbers, 0][:2]
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + rest


def quantity(size: str) -> str:
    """64g, 64G, 64GiB as Docker and Slurm mean them: powers of 1024. Raises WsbError bad-value."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", size.strip(), re.IGNORECASE)
    if not found:
        raise WsbError("bad-value", f"{size!r} is no size", hints=["such as 16g or 512m"])
    unit = {"": "", "k": "Ki", "m": "Mi", "g": "Gi", "t": "Ti"}[found[2].lower()]
    return found[1] + unit
