"""Which source serves this machine best: the tables' mirrors, asked from here for a small file of each kind they carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from builder.catalog import load
from builder.errors import WsbError
from builder.host.speed import Measured, measure

KINDS: Final = ("registry", "apt", "conda", "miniconda", "pip", "torch")
USUAL: Final = {
    "registry": "registry-1.docker.io",
    "apt": "http://deb.debian.org",
    "conda": "https://conda.anaconda.org",
    "miniconda": "https://repo.anaconda.com/miniconda",
    "pip": "https://pypi.org/simple",
    "torch": "https://download.pytorch.org/whl",
}
# A file of some hundred kilobytes or more that every mirror of the kind has.
_FILES: Final = {
    "apt": "/debian/dists/stable/main/binary-all/Packages.xz",
    "conda": "/conda-forge/noarch/repodata.json.zst",
    "miniconda": "/",
    "pip": "/numpy/",
    "torch": "/cpu/torch/",
}

Row = tuple[str, str, Measured]


def presets() -> tuple[dict[str, dict[str, str]], str]:
    """(preset → kind → address, the date of the table)."""
    catalog = load()
    rows = {name: catalog.preset(name) or {} for name in catalog.presets if name != "default"}
    found = {name: {kind: row[kind] for kind in KINDS if isinstance(row.get(kind), str)} for name, row in rows.items()}
    return found, str(catalog.tables["presets"]["date"])


def measure_presets(names: Sequence[str], ca: str | None, own: Mapping[str, str]) -> tuple[Row, ...]:
    """Every kind of the usual places, of this machine's own settings and of the presets, or of those named; fastest first.

    Raises WsbError bad-value for a preset nobody knows.
    """
    found, _ = presets()
    for name in names:
        if name not in found:
            raise WsbError("bad-value", f"there is no preset called {name!r}", hints=[f"known are {', '.join(found)}"])
    chosen = {"default": USUAL, **({"own": dict(own)} if own else {}), **{name: found[name] for name in names or found}}
    asked = {(kind, name): probe(kind, root) for name, roots in chosen.items() for kind, root in roots.items()}
    measured = measure({f"{kind} {name}": url for (kind, name), url in asked.items()}, ca)
    rows = [(kind, name, measured[f"{kind} {name}"]) for kind, name in asked]
    return tuple(sorted(rows, key=lambda row: (KINDS.index(row[0]), not row[2].answers, row[2].seconds_for, row[1])))


def probe(kind: str, root: str) -> str:
    """What to ask a source of this kind for."""
    bare = root.partition("#")[0].rstrip("/")
    if kind == "registry":
        return f"https://{bare.removeprefix('https://')}/v2/"
    return f"{bare}{_FILES[kind]}"


def best_of(rows: Sequence[Row]) -> dict[str, str]:
    """Kind → the preset that answers best, for kinds where something does."""
    best: dict[str, str] = {}
    for kind, name, one in rows:
        if one.answers:
            best.setdefault(kind, name)
    return best


def config_text(best: Mapping[str, str]) -> str:
    """The configuration file that takes each kind from its best; the usual places need no line."""
    found, _ = presets()
    lines = [f"  {kind}: {found[name][kind]}" for kind, name in best.items() if name in found]
    return "sources:\n" + "\n".join(lines) + "\n" if lines else "sources: default\n"


def row(kind: str, name: str, one: Measured) -> dict[str, Any]:
    """For JSON."""
    told: dict[str, Any] = {"kind": kind, "source": name, "url": one.url, "answers": one.answers}
    if not one.answers:
        return {**told, "because": one.why_not}
    return {**told, "first_s": round(one.first_s, 3), "bytes_per_s": round(one.bytes_per_s)}
