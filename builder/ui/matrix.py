"""Ten well-known cards on five driver branches: what wsb picks. `python -m builder.ui.matrix` prints the README's table."""

from __future__ import annotations

from collections.abc import Sequence

from builder.catalog import Catalog, load
from builder.errors import WsbError
from builder.model.host import Gpu, Host
from builder.model.project import EMPTY_PROJECT
from builder.model.spec import Spec
from builder.model.values import DriverVersion, Located, Location
from builder.resolve import resolve

CARDS = (
    "GTX 1080 Ti",
    "Tesla V100",
    "Tesla T4",
    "RTX 2080 Ti",
    "A100",
    "RTX 3090",
    "RTX 4090",
    "H100",
    "B200",
    "RTX 5090",
)
DRIVERS = ("470.256.02", "535.288.01", "550.163.01", "570.211.01", "580.126.09")
_NOWHERE = Location(file="wsb.yaml")


def picked(card: str, driver: str, catalog: Catalog) -> str:
    """The newest torch for this card and driver, such as 2.14.1+cu126; a dash where the driver does not know the card."""
    model = catalog.gpu(card)
    assert model is not None
    gpu = Gpu(name=model.name, compute_capability=model.compute_capability)
    host = Host(os="linux", arch="x86_64", driver=DriverVersion.parse(driver), gpus=(gpu,))
    try:
        plan = resolve(Spec(where=_NOWHERE, name=Located("matrix", _NOWHERE)), EMPTY_PROJECT, catalog, host)
    except WsbError:
        return "–"
    assert plan.torch is not None
    if any(warned.code == "driver-unknown-to-gpu" for warned in plan.warnings):
        return "–"
    return plan.torch.local


def matrix_lines(catalog: Catalog, cards: Sequence[str] = CARDS, drivers: Sequence[str] = DRIVERS) -> tuple[str, ...]:
    """The table in Markdown: a card a row, a driver branch a column."""
    branches = [f"R{driver.split('.')[0]}" for driver in drivers]
    lines = [f"| GPU | {' | '.join(branches)} |", f"|---|{'---|' * len(branches)}"]
    lines += [f"| {card} | {' | '.join(picked(card, driver, catalog) for driver in drivers)} |" for card in cards]
    return tuple(lines)


if __name__ == "__main__":
    print("\n".join(matrix_lines(load())))
