"""`wsb init` held against what a careful expert would choose, on a corpus of real projects that is not part of this one.

`WSB_CORPUS=DIR python -m tests.support.agreement [--driver VERSION --gpu NAME]` prints a table. DIR holds INDEX.json with, for
each project, the id of its folder and `expect`: python_ok, torch_ok, cuda_ok, needs_devel, needs_gcc, confidence.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from builder import initial, pipeline
from builder.catalog import load
from builder.catalog.hostfile import told
from builder.errors import Problems, WsbError
from builder.host.local import local_host
from builder.model.host import Host

FIELDS = ("python", "torch", "variant", "compiler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One project. chosen: by field, as text; empty when refused. agrees: the fields that do."""

    id: str
    confidence: str
    expected: dict[str, str]
    chosen: dict[str, str]
    agrees: frozenset[str]
    refusal: str = ""


def corpus() -> Path | None:
    """The folder of the corpus, None when nobody says where it is."""
    place = os.environ.get("WSB_CORPUS")
    return Path(place) if place else None


def rows(folder: Path, host: Host, only: Sequence[str] = ()) -> Iterator[Row]:
    """Every project of the corpus, proposed and planned in a copy of its folder."""
    for project in json.loads((folder / "INDEX.json").read_bytes())["projects"]:
        if only and not any(word in project["id"] for word in only):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / project["id"]
            shutil.copytree(folder / project["id"], copy, ignore=shutil.ignore_patterns("META.json"))
            copy.chmod(0o755)
            yield _row(project, copy, host)


def _row(project: dict[str, Any], copy: Path, host: Host) -> Row:
    expect = project["expect"]
    expected = {
        "python": ", ".join(expect["python_ok"]),
        "torch": str(expect["torch_ok"]),
        "variant": ", ".join(expect["cuda_ok"]),
        "compiler": "nvcc" if expect["needs_devel"] else "none",
    }
    try:
        initial.write(initial.draft(copy, accelerator="cuda"))
        plan = pipeline.decide(pipeline.read(copy), host)
    except (WsbError, Problems) as error:
        hints = "; ".join(getattr(error, "hints", ())[:1])
        refusal = f"{error} ({hints})" if hints else str(error)
        return Row(
            id=project["id"], confidence=expect["confidence"], expected=expected, chosen={}, agrees=frozenset(), refusal=refusal
        )
    chosen = {
        "python": plan.python,
        "torch": plan.torch.version if plan.torch else "none",
        "variant": str(plan.torch.variant) if plan.torch else "none",
        "compiler": "nvcc" if plan.base.flavour.value == "devel" else "none",
    }
    agrees = {
        "python": chosen["python"] in expect["python_ok"],
        "torch": torch_fits(str(expect["torch_ok"]), chosen["torch"]),
        "variant": chosen["variant"] in expect["cuda_ok"],
        "compiler": chosen["compiler"] == expected["compiler"],
    }
    return Row(
        id=project["id"],
        confidence=expect["confidence"],
        expected=expected,
        chosen=chosen,
        agrees=frozenset(field for field, does in agrees.items() if does),
    )


def torch_fits(expected: str, chosen: str) -> bool:
    """Whether a release is among those that a sentence such as ">=1.7,<2.6" or "2.0.1 (env) or 2.1.2" allows."""
    if "none" in expected or chosen == "none":
        return ("none" in expected or "no torch" in expected) and chosen == "none"
    text = re.sub(r"\(.*?\)", " ", expected)
    span = re.fullmatch(r"\s*([\d.]+)\s*-\s*([\d.]+)\s*", text)
    if span:
        return Version(span[1]) <= Version(chosen) <= Version(span[2])
    return any(_fits(part, chosen) for part in re.split(r"\bor\b", text))


def _fits(part: str, chosen: str) -> bool:
    bare = re.sub(r"(\d)\.x", r"\1.*", re.split(r",\s*but", part)[0].strip().rstrip(";"))
    try:
        return SpecifierSet(f"=={bare}" if bare[:1].isdigit() else bare).contains(chosen)
    except InvalidSpecifier:
        return False


def shares(found: Sequence[Row], confidence: str = "high") -> dict[str, float]:
    """Field → the share of projects of this confidence that agree."""
    of_it = [row for row in found if row.confidence == confidence]
    return {field: sum(field in row.agrees for row in of_it) / len(of_it) for field in FIELDS} if of_it else {}


def main(arguments: list[str]) -> int:
    """Prints the table; 0 always, since it is read by people."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.agreement")
    parser.add_argument("--driver")
    parser.add_argument("--gpu", action="append", default=[])
    parser.add_argument("--all", action="store_true", help="also the projects that agree in everything")
    parser.add_argument("only", nargs="*")
    options = parser.parse_args(arguments)
    folder = corpus()
    if folder is None:
        print("set WSB_CORPUS to the folder of the corpus", file=sys.stderr)
        return 2
    host = told(local_host(), load(), driver=options.driver, gpus=tuple(options.gpu))
    found = list(rows(folder, host, options.only))
    print("| project | sure | chosen: Python, torch, build, compiler | expected where it differs |\n|---|---|---|---|")
    for row in found:
        differs = [f"{field} {row.expected[field]}" for field in FIELDS if field not in row.agrees]
        if differs or options.all:
            chosen = ", ".join(row.chosen.values()) or f"refused: {row.refusal}"
            print(f"| {row.id} | {row.confidence} | {chosen} | {'; '.join(differs)} |")
    for confidence in ("high", "medium", "low"):
        count = sum(row.confidence == confidence for row in found)
        agreed = ", ".join(f"{field} {share:.1%}" for field, share in shares(found, confidence).items())
        print(f"\n{count} of confidence {confidence}: {agreed or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
