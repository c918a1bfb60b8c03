"""What changed between two locks, for people: a package a line, what came, what went, what moved."""

from __future__ import annotations

from builder.model.lock import LockedPart, LockedPlatform


def changes(before: LockedPlatform | None, after: LockedPlatform) -> tuple[str, ...]:
    """Sorted lines such as "pip  tqdm  4.66.0 -> 4.67.1"; empty when both install the same."""
    old = _versions(before) if before else {}
    new = _versions(after)
    lines = []
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        kind, name = key
        if was is None:
            told = f"+ {now[0]}" if now else ""
        elif now is None:
            told = f"- {was[0]}"
        elif was[0] == now[0]:
            told = f"{now[0]}, other files"
        else:
            told = f"{was[0]} -> {now[0]}"
        lines.append(f"{kind:<5}  {name}  {told}")
    return tuple(lines)


def _versions(locked: LockedPlatform) -> dict[tuple[str, str], tuple[str, object]]:
    """(kind, name) → (version, the hashes behind it)."""
    found: dict[tuple[str, str], tuple[str, object]] = {
        ("base", locked.base.image): (locked.base.digest or locked.base.layers[0], locked.base.layers)
    }
    for part in (locked.torch, locked.workspace):
        found |= _part(part)
    return found


def _part(part: LockedPart) -> dict[tuple[str, str], tuple[str, object]]:
    found: dict[tuple[str, str], tuple[str, object]] = {}
    for deb in part.apt:
        found["apt", f"{deb.name}:{deb.arch}"] = (deb.version, deb.sha256)
    for package in part.conda:
        name, version, _ = package.file.rsplit("-", 2)
        found["conda", name] = (version, package.sha256)
    for one in part.pip:
        found["pip", one.name] = (one.version, one.hashes)
    return found
