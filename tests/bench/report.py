"""The figures as a table with the goals beside them, as JSON, and as a picture."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measures import Taken

MEASURES = ("cold", "no-op", "code", "one package", "second project", "torch patch")


@dataclass(frozen=True, kw_only=True)
class WheelBytes:
    """added: of the package that is added. second: of all that the second project asks for beside torch."""

    added: int
    second: int


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def table(taken: Mapping[str, Taken]) -> str:
    """One row a builder: medians in seconds with their spread (lowest to highest), sizes in MB."""
    lines = [
        "| builder | " + " | ".join(f"{measure} s" for measure in MEASURES) + " | size MB | import torch s |",
        "|---" * (len(MEASURES) + 3) + "|",
    ]
    for name, figures in taken.items():
        cells = [_seconds(figures.seconds.get(measure, [])) for measure in MEASURES]
        lines.append(f"| {name} | {' | '.join(cells)} | {figures.size_bytes / 1e6:.0f} | {_seconds(figures.import_s)} |")
    lines += ["", "| MB pushed by | " + " | ".join(m for m in MEASURES if m != "no-op") + " |", "|---" * len(MEASURES) + "|"]
    for name, figures in taken.items():
        cells = [f"{figures.pushed_bytes[m] / 1e6:.2f}" if m in figures.pushed_bytes else "–" for m in MEASURES if m != "no-op"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def start_table(starts: Mapping[str, Sequence[float]]) -> str:
    """Medians of what needs no engine, in ms."""
    lines = ["| start-up | ms |", "|---|---|"]
    lines += [
        f"| `{name}` | {1e3 * median(values):.0f} ({1e3 * min(values):.0f}–{1e3 * max(values):.0f}) |"
        for name, values in starts.items()
    ]
    return "\n".join(lines) + "\n"


def goals(taken: Mapping[str, Taken], starts: Mapping[str, Sequence[float]], wheels: WheelBytes) -> str:
    """Each goal with what was measured, and whether it was met."""
    wsb = taken["wsb"]

    def seconds(name: str, measure: str) -> float:
        return median(taken[name].seconds.get(measure, []))

    cold = seconds("wsb", "cold")
    rows: list[tuple[str, str, str, bool]] = []
    for opponent, factor in (("good", 0.8), ("best", 1.05)):
        if opponent in taken:
            ratio = cold / seconds(opponent, "cold")
            rows.append((f"cold build against {opponent!r}", f"≤ {factor} ×", f"{ratio:.2f} ×", ratio <= factor))
    if "best" in taken:
        over = seconds("wsb", "no-op") - seconds("best", "no-op")
        rows.append(("no-op over docker build", "≤ +0.3 s", f"{over:+.2f} s", over <= 0.3))
        size = wsb.size_bytes / taken["best"].size_bytes - 1
        rows.append(("size over 'best'", "≤ +1 %", f"{size:+.1%}", size <= 0.01))
    share = seconds("wsb", "one package") / cold
    rows.append(("one package added", "≤ 10 % of cold", f"{share:.1%}", share <= 0.10))
    share = seconds("wsb", "second project") / cold
    rows.append(("second project, same torch", "≤ 15 % of cold", f"{share:.1%}", share <= 0.15))
    if wsb.pushed_bytes:
        beside = wsb.pushed_bytes["second project"] - wheels.second
        rows.append(("second project, layers beside its own packages", "≤ 60 MB", f"{beside / 1e6:+.2f} MB", beside <= 60e6))
        pushed = wsb.pushed_bytes["one package"] - wheels.added
        rows.append(("bytes pushed after one package, over its size", "≤ 1 MB", f"{pushed / 1e6:+.2f} MB", pushed <= 1e6))
    ratio = median(wsb.import_s) / median(wsb.import_compiled_s)
    rows.append(("import torch against everything compiled", "≤ 1.05 ×", f"{ratio:.2f} ×", ratio <= 1.05))
    if "envd" in taken:
        for measure in ("cold", "one package"):
            mine, theirs = seconds("wsb", measure), seconds("envd", measure)
            rows.append((f"envd, {measure}", "ahead", f"{mine:.1f} s against {theirs:.1f} s", mine < theirs))
    for name, goal in (("wsb --help", 0.06), ("wsb plan", 0.15)):
        took = median(starts[name])
        rows.append((f"`{name}`", f"≤ {1e3 * goal:.0f} ms", f"{1e3 * took:.0f} ms", took <= goal))
    lines = ["| measure | goal | measured | |", "|---|---|---|---|"]
    lines += [f"| {what} | {goal} | {found} | {'met' if met else 'missed'} |" for what, goal, found, met in rows]
    return "\n".join(lines) + "\n"


def as_json(taken: Mapping[str, Taken], starts: Mapping[str, Sequence[float]], facts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "schema": "wsb.bench/1",
        "facts": dict(facts),
        "start_up_s": {name: list(values) for name, values in starts.items()},
        "builders": {
            name: {
                "seconds": figures.seconds,
                "pushed_bytes": figures.pushed_bytes,
                "size_bytes": figures.size_bytes,
                "import_s": figures.import_s,
                "import_compiled_s": figures.import_compiled_s,
            }
            for name, figures in taken.items()
        },
    }


def plot(taken: Mapping[str, Taken], path: Path) -> bool:
    """Bars of the medians, a group a measure, with the spread drawn on them. False where matplotlib is not installed."""
    try:
        import matplotlib as mpl
    except ImportError:
        return False
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    width = 0.8 / len(taken)
    for number, (name, figures) in enumerate(taken.items()):
        places = [index + number * width for index in range(len(MEASURES))]
        values = [median(figures.seconds.get(measure, [])) for measure in MEASURES]
        low = [value - min(figures.seconds.get(m, [value])) for m, value in zip(MEASURES, values, strict=True)]
        high = [max(figures.seconds.get(m, [value])) - value for m, value in zip(MEASURES, values, strict=True)]
        axes.bar(places, values, width, label=name, yerr=(low, high), capsize=2)
    axes.set_xticks([index + 0.4 - width / 2 for index in range(len(MEASURES))], MEASURES)
    axes.set_yscale("log")
    axes.set_ylabel("seconds (median, lowest to highest)")
    axes.legend()
    figure.savefig(path)
    plt.close(figure)
    return True


def _seconds(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})" if values else "–"
