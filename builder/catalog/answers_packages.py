"""Answers about packages, imports and conda environments."""

from __future__ import annotations

import re

from packaging.specifiers import SpecifierSet

from builder.catalog.answers import Answer, answer, release_named
from builder.catalog.catalog import Catalog
from builder.catalog.packages import has_own_wheel, pinned_release, wheel_page
from builder.catalog.rows import LINUX_X86_64, Row, TorchRelease
from builder.errors import WsbError
from builder.model.values import CudaVersion, Variant


def import_name(catalog: Catalog, name: str) -> Answer:
    """Which distribution an import name belongs to; its own name where nothing else is known."""
    row, trap = catalog.import_name(name), catalog.import_trap(name)
    return answer(
        "import",
        import_name=name,
        distribution=row["distribution"] if row else name.split(".")[0].replace("_", "-"),
        known=row is not None,
        note=row.get("note") if row else None,
        trap=f"{trap['name']} on PyPI is something else: {trap['is']}" if trap else None,
        sources=catalog.tables.sources("imports", row["source"] if row else ()),
    )


def package(
    catalog: Catalog, name: str, *, torch: str | None = None, variant: str | None = None, python: str | None = None
) -> Answer:
    """What is known of a package beside one torch: its release, its page of wheels, whether it compiles."""
    release = release_named(catalog, torch) if torch else None
    pins = [row for row in catalog.constraints if re.match(rf"{re.escape(name.lower())}\b", row["constraint"])]
    row = catalog.package(name)
    if row is None and not pins and catalog.apt_needs(name) is None:
        return answer("package", package=name, known=False, note="an ordinary package: nothing of torch or CUDA ties it")
    facts: Answer = {"package": name, "known": True}
    if row is not None:
        facts |= {
            key: row[key] for key in ("because", "git", "torch", "python", "gpu_min", "compiles", "unverified") if key in row
        }
        if release is not None:
            facts |= _beside(row, release, variant, python)
    for pin in pins:
        if release is None or SpecifierSet(pin.get("torch", "")).contains(release.version):
            facts |= {"pin": pin["constraint"][len(name) :], "constraint": pin["constraint"], "because": pin["because"]}
    sources = row["source"] if row else (pins[0]["source"] if pins else ())
    return answer("package", **facts, sources=catalog.tables.sources("ecosystem", sources))


def _beside(row: Row, release: TorchRelease, variant: str | None, python: str | None) -> Answer:
    try:
        chosen = Variant.parse(variant) if variant else release.default.get(LINUX_X86_64, Variant("cpu"))
    except ValueError as error:
        raise WsbError("bad-value", str(error)) from None
    page = wheel_page(row, release, chosen)
    own = has_own_wheel(row, release, chosen, python or release.python_of(LINUX_X86_64)[-1], LINUX_X86_64)
    facts: Answer = {"torch": str(release.version), "variant": str(chosen)}
    version = pinned_release(row, release)
    if version:
        facts["version"] = version
    if page:
        facts["find_links"] = page
    if "wheels" in row or row.get("compiles"):
        facts["has_wheel"] = bool(page) or (own and "find_links" not in row)
        facts["needs_devel"] = bool(row.get("compiles")) and not facts["has_wheel"] and chosen.cuda is not None
    return facts


def conda(catalog: Catalog, dependencies: tuple[str, ...]) -> Answer:
    """What lines of an environment.yml mean: the torch and the build, as wheels, and a pin that they need.

    dependencies: such as pytorch=1.7.1 and cudatoolkit=11.0, each a word of its own or several in one.
    """
    apart = re.sub(r",\s*(?=[A-Za-z_(])", " ", " ".join(dependencies))
    together = re.sub(r"([\w*])\s+(?=[=<>!~])", r"\1", apart)  # "pytorch >=2" is one line
    together = re.sub(r"([A-Za-z_-]\w*)\s+(?=\d)", r"\1=", together)  # and "pytorch 2.0.1" too
    lines = [line for line in re.split(r"[,;\s]+(?=[A-Za-z_(])", together.strip()) if line]
    named = dict(_conda_line(line) for line in lines)
    asked = next((named[name] for name in ("pytorch", "torch", "pytorch-gpu") if name in named), None)
    if asked is None:
        return _conda_names(catalog, lines)
    variant = _conda_variant(named)
    release = release_named(catalog, asked.partition("|")[0]) if asked else _newest_with(catalog, variant)
    fits = [
        row["constraint"]
        for row in catalog.constraints
        if row.get("only") == "conda" and SpecifierSet(row["torch"]).contains(release.version)
    ]
    built = [str(build.variant) for build in catalog.builds(release, LINUX_X86_64)]
    forge = next(
        (row["cuda"] for row in catalog.tables.rows("conda", "conda_forge") if row["torch"] == str(release.version)), None
    )
    return answer(
        "conda",
        torch=str(release.version),
        variant=variant if variant in built else None,
        unbuilt=variant if variant and variant not in built else None,
        python=_bare(named["python"]) if named.get("python") else None,
        torchvision=release.torchvision,
        torchaudio=release.torchaudio,
        add_pin=fits[0] if fits else None,
        variants=built,
        channel_cuda=conda_channel(catalog, str(release.version)) or None,
        conda_forge=forge,
        note=_unbuilt_note(release, variant) if variant and variant not in built else None,
        sources=catalog.tables.sources("conda", tuple(catalog.tables["conda"]["sources"])),
    )


def _newest_with(catalog: Catalog, variant: str | None) -> TorchRelease:
    """The newest release that has a build; the newest of all when none has it, or none is asked for."""
    usual = [release for release in catalog.releases if not release.is_lts]
    having = (release for release in usual if variant and catalog.build(release, LINUX_X86_64, Variant(variant)))
    return next(having, catalog.newest)


def conda_channel(catalog: Catalog, version: str) -> list[str]:
    """The CUDA versions that the pytorch channel has builds of a torch for."""
    return [row["cuda"] for row in catalog.tables.rows("conda") if row["torch"] == version]


def _unbuilt_note(release: TorchRelease, variant: str) -> str:
    default = release.default.get(LINUX_X86_64)
    return f"no wheel of torch {release.version} is built for {variant}; the default index serves {default}"


def _conda_names(catalog: Catalog, lines: list[str]) -> Answer:
    """What conda packages beside torch are called elsewhere."""
    names = [name for name, _ in map(_conda_line, lines) if name]
    if not names:
        raise WsbError("bad-value", "these are no conda packages", hints=["such as pytorch=1.7.1 cudatoolkit=11.0"])
    rows = [dict(found) if (found := catalog.conda_name(name)) else {"conda": name, "pip": name} for name in names]
    shown = [{key: value for key, value in row.items() if key != "source"} for row in rows]
    return answer("conda", names=shown, sources=catalog.tables.sources("conda", tuple(catalog.tables["conda"]["sources"])))


def _conda_line(text: str) -> tuple[str, str]:
    """Name and version part: "pytorch=1.7.1=py3.8_cuda11.0*" is pytorch, "=1.7.1" with the build left out."""
    match = re.match(r"(?:[\w./-]+::)?([A-Za-z_][\w.-]*)\s*(.*)$", text.strip())
    if not match:
        return "", ""
    name, asks = match[1].lower(), match[2].strip()
    if build := re.search(r"=[^=]*cuda(\d+\.\d+)", asks):
        return name, f"{asks.partition('=py')[0].partition('=cuda')[0]}|{build[1]}"
    return name, re.sub(r"^(=?=?[\d.*]+)=.*$", r"\1", asks)


def _bare(asks: str) -> str:
    return asks.partition("|")[0].lstrip("=")


def _conda_variant(named: dict[str, str]) -> str | None:
    if "cpuonly" in named:
        return "cpu"
    for selector in ("pytorch-cuda", "cudatoolkit", "cuda-version", "cuda-toolkit"):
        if named.get(selector) and (number := re.search(r"\d+\.\d+", named[selector])):
            return str(Variant.for_cuda(CudaVersion.parse(number[0])))
    for name, asks in named.items():
        if match := re.fullmatch(r"cuda(\d{2,3})", name):
            return f"cu{match[1]}"
        if name in ("pytorch", "pytorch-gpu") and "|" in asks:
            return str(Variant.for_cuda(CudaVersion.parse(asks.partition("|")[2])))
    return None
