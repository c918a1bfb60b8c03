"""Rewrites the tables of torch from public sources: `python -m builder.catalog.refresh`.

It reads the lists of files of torch, torchvision and torchaudio from pip's own configured index, the metadata of releases
that are new, and the torch index where it can be reached. What cannot be measured from there (machine code, ROCm) is taken
over from the release before and marked as unverified. Rows come out sorted, one a line, and none is ever lost.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

from builder.catalog.simple_index import Fetch, Wheel, local_versions, requirements, wheels

Table = dict[str, Any]
TORCH_INDEX = "https://download.pytorch.org/whl"
COMPANIONS = ("torchvision", "torchaudio")
OLDEST = {"torch": Version("1.0"), "torchvision": Version("0.2.1"), "torchaudio": Version("0.3")}


class LosesRows(Exception):
    """A refreshed table would lack rows that the old one has."""


@dataclass(slots=True)
class Facts:
    """What was read. builds: release → platform → builds on the torch index; empty when it could not be reached."""

    wheels: dict[str, tuple[Wheel, ...]] = field(default_factory=dict)
    requires: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    builds: dict[str, dict[str, set[str]]] = field(default_factory=dict)


def read_facts(index: str, fetch: Fetch, tables: Mapping[str, Table]) -> Facts:
    """The lists of files, and the metadata of releases that the tables do not have yet."""
    facts = Facts()
    known = {
        "torch": {row["torch"] for row in tables["torch"]["rows"]},
        **{p: {row["version"] for row in tables["companions"]["rows"] if row["package"] == p} for p in COMPANIONS},
    }
    for package in ("torch", *COMPANIONS):
        files = wheels(index, package, fetch)
        facts.wheels[package] = tuple(wheel for wheel in files if wheel.version >= OLDEST[package])
        for (version, platform), one in _one_each(facts.wheels[package]).items():
            if version not in known[package] and (package != "torch" or platform.startswith("linux")):
                facts.requires[package, version, platform] = requirements(one, fetch)
    try:
        facts.builds = local_versions(fetch.get(f"{TORCH_INDEX}/torch/").decode("utf-8", "replace"))
    except OSError as error:
        print(f"{TORCH_INDEX} cannot be reached ({error}); builds are taken over from the release before", file=sys.stderr)
    return facts


def refreshed(tables: Mapping[str, Table], facts: Facts, date: str) -> dict[str, Table]:
    """The tables torch, companions and machine_code with what was read. Raises LosesRows rather than drop one."""
    new = {name: deepcopy(tables[name]) for name in ("torch", "companions", "machine_code")}
    for table in new.values():
        table["date"] = date
    _companions(new["companions"], facts)
    _releases(new, facts)
    for name, table in new.items():
        before = {_key(name, row) for row in tables[name]["rows"]}
        lost = before - {_key(name, row) for row in table["rows"]}
        if lost:
            raise LosesRows(f"{name} would lose {sorted(lost)}")
    return new


def _releases(new: Mapping[str, Table], facts: Facts) -> None:
    rows = {row["torch"]: row for row in new["torch"]["rows"]}
    listed = _by_version(facts.wheels["torch"])
    for version, files in sorted(listed.items(), key=lambda pair: Version(pair[0])):
        row = rows.get(version)
        if row is None:
            row = rows[version] = _new_release(version, files, rows, facts, new["companions"])
            _take_over_code(new["machine_code"], row, files)
        elif not row.get("lts"):
            row["python"] = _kept(row["python"], _pythons(files), f"torch {version}")
        for platform, names in facts.builds.get(version, {}).items():
            _add_builds(row, platform, names)
            _settle_doubts(row, names)
    new["torch"]["rows"] = sorted(rows.values(), key=lambda row: Version(row["torch"]))


def _new_release(version: str, files: list[Wheel], rows: Mapping[str, Any], facts: Facts, companions: Table) -> dict[str, Any]:
    """A row for a release the table did not have, with the release before where nothing was measured."""
    before = rows[max((one for one in rows if Version(one) < Version(version)), key=Version)]
    default = {}
    for platform in sorted({wheel.platform for wheel in files}):
        asked = facts.requires.get(("torch", version, platform), ())
        default[platform] = variant_of(asked) if platform.startswith("linux") else "cpu"
    linux = facts.requires.get(("torch", version, "linux_x86_64"), ())
    builds = {}
    for platform, known in before["builds"].items():
        names = [*known, default[platform]] if platform in default else known
        builds[platform] = sorted(set(names), key=_build_order)
    measured = version in facts.builds
    row = {
        "torch": version,
        "released": min(wheel.released for wheel in files),
        "requires_python": next((wheel.requires_python for wheel in files if wheel.requires_python), None),
        "python": _pythons(files),
        "default": default,
        "builds": builds,
        "rocm": before.get("rocm"),
        "xpu": before.get("xpu"),
        "torchvision": _companion_for(companions, "torchvision", version, before),
        "torchaudio": _companion_for(companions, "torchaudio", version, before),
        "torchtext": before.get("torchtext"),
        "cudnn": _pin(linux, r"nvidia-cudnn-cu\d+"),
        "triton": next((str(r.specifier) for r in map(Requirement, linux) if r.name == "triton"), None),
        "glibc": {wheel.platform: wheel.libc for wheel in files if wheel.libc},
        "source": ["pypi"],
        "unverified": None if measured else f"the builds of the torch index, taken over from {before['torch']}",
    }
    return {key: value for key, value in row.items() if value not in (None, [], False)}


def variant_of(asked: Iterable[str]) -> str:
    """The build a wheel on the default index is, by the CUDA packages its metadata asks for."""
    for requirement in map(Requirement, asked):
        if requirement.name in ("cuda-toolkit", "nvidia-cuda-runtime") or re.fullmatch(
            r"nvidia-cuda-runtime-cu\d+", requirement.name
        ):
            pin = next((s.version for s in requirement.specifier if s.operator == "=="), None)
            if pin:
                major, minor = pin.split(".")[:2]
                return f"cu{major}{minor}"
    return "cpu"


def _take_over_code(table: Table, row: Mapping[str, Any], files: list[Wheel]) -> None:
    """Machine code of a new release: as in the release before, marked as such."""
    version = row["torch"]
    for platform, names in row["builds"].items():
        for name in names:
            if not name.startswith("cu") or platform not in {wheel.platform for wheel in files}:
                continue
            earlier = [r for r in table["rows"] if (r["platform"], r["variant"]) == (platform, name)]
            if not earlier:
                earlier = [r for r in table["rows"] if r["platform"] == platform]
            last = max(earlier, key=lambda r: Version(r["until"]))
            code = {"platform": platform, "variant": name, "since": version, "until": version, "sm": last["sm"]}
            table["rows"].append(code | {"unverified": f"as {last['variant']} of {last['until']}", "source": last["source"]})
    table["rows"].sort(key=lambda r: (r["platform"] != "linux_x86_64", _build_order(r["variant"]), Version(r["since"])))


def _companions(table: Table, facts: Facts) -> None:
    rows = {(row["package"], row["version"]): row for row in table["rows"]}
    for package in COMPANIONS:
        for version, files in _by_version(facts.wheels[package]).items():
            row = rows.get((package, version))
            if row is not None:
                row["python"] = _kept(row["python"], _pythons(files), f"{package} {version}")
                continue
            asked = next((r for (p, v, _), r in facts.requires.items() if (p, v) == (package, version)), ())
            torch = next((str(r.specifier) for r in map(Requirement, asked) if r.name == "torch"), None)
            row = {
                "package": package,
                "version": version,
                "released": min(wheel.released for wheel in files),
                "requires_torch": torch or None,
                "python": _pythons(files),
                "requires_python": next((wheel.requires_python for wheel in files if wheel.requires_python), None),
                "source": ["pypi"],
                "yanked": all(wheel.is_yanked for wheel in files),
            }
            rows[package, version] = {key: value for key, value in row.items() if value not in (None, False)}
    table["rows"] = sorted(rows.values(), key=lambda row: (row["package"], Version(row["version"])))


def _companion_for(companions: Table, package: str, torch: str, before: Mapping[str, Any]) -> str | None:
    """The newest companion that names this torch, else the one of the release before where it admits this torch."""
    own = [r for r in companions["rows"] if r["package"] == package and r.get("requires_torch") == f"=={torch}"]
    if own:
        return str(max(own, key=lambda r: Version(r["version"]))["version"])
    rows = [r for r in companions["rows"] if r["package"] == package and not r.get("yanked")]
    open_ended = [r for r in rows if _admits(r.get("requires_torch"), torch)]
    return str(max(open_ended, key=lambda r: Version(r["version"]))["version"]) if open_ended else before.get(package)


def _admits(specifier: str | None, torch: str) -> bool:
    return specifier is None or Requirement(f"torch{specifier}").specifier.contains(torch)


def _pin(asked: Iterable[str], pattern: str) -> str | None:
    for requirement in map(Requirement, asked):
        if re.fullmatch(pattern, requirement.name):
            return next((s.version for s in requirement.specifier if s.operator == "=="), None)
    return None


def _settle_doubts(row: dict[str, Any], seen: set[str]) -> None:
    """Builds that were seen on the torch index are no longer in doubt."""
    doubts = [{**one, "variants": [name for name in one["variants"] if name not in seen]} for one in row.get("doubts", ())]
    row["doubts"] = [one for one in doubts if one["variants"]]
    if not row["doubts"]:
        del row["doubts"]


def _add_builds(row: dict[str, Any], platform: str, names: set[str]) -> None:
    """Builds seen on the torch index that the row lacks: not advertised, as far as anyone can tell from there."""
    known = {*row["builds"].get(platform, ()), *row.get("unadvertised", ()), *row.get("rocm", ())}
    fresh = sorted(name for name in names - known if re.fullmatch(r"cu\d{2,3}", name))
    if fresh and platform == "linux_x86_64":
        row["unadvertised"] = sorted({*row.get("unadvertised", ()), *fresh}, key=_build_order)


def _pythons(files: Iterable[Wheel]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for wheel in files:
        found.setdefault(wheel.platform, set()).update(wheel.pythons)
    return {platform: sorted(found[platform], key=_python_order) for platform in sorted(found)}


def _kept(before: Mapping[str, list[str]], now: Mapping[str, list[str]], what: str) -> dict[str, list[str]]:
    """The new list, which must hold everything the old one does."""
    for platform, pythons in before.items():
        lost = set(pythons) - set(now.get(platform, ()))
        if lost and platform in now:
            raise LosesRows(f"{what} would lose Python {sorted(lost)} on {platform}")
    return {**before, **now}


def _one_each(files: Iterable[Wheel]) -> dict[tuple[str, str], Wheel]:
    return {(wheel.version.public, wheel.platform): wheel for wheel in files}


def _by_version(files: Iterable[Wheel]) -> dict[str, list[Wheel]]:
    found: dict[str, list[Wheel]] = {}
    for wheel in files:
        found.setdefault(wheel.version.public, []).append(wheel)
    return found


def _key(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    keys = {"torch": ("torch",), "companions": ("package", "version"), "machine_code": ("platform", "variant", "since")}
    return tuple(str(row[key]) for key in keys[name])


def _build_order(name: str) -> tuple[int, int, int]:
    match = re.fullmatch(r"cu(\d+)(\d)", name)
    return (1, int(match[1]), int(match[2])) if match else (0, 0, 0)


def _python_order(python: str) -> tuple[int, int, bool, str]:
    match = re.fullmatch(r"(\d)\.(\d+)(t?)", python)
    return (int(match[1]), int(match[2]), bool(match[3]), "") if match else (0, 0, False, python)


if __name__ == "__main__":
    from builder.catalog.refresh_main import main

    sys.exit(main(sys.argv[1:]))
