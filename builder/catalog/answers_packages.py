"""Answers about images, packages, imports and conda environments."""

from __future__ import annotations

import re

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from builder.catalog.answers import Answer, answer, release_named
from builder.catalog.catalog import Catalog
from builder.catalog.packages import has_own_wheel, pinned_release, wheel_page
from builder.catalog.rows import LINUX_X86_64, Row, TorchRelease
from builder.errors import WsbError
from builder.model.values import CudaVersion, Variant, VersionRequest


def image(
    catalog: Catalog,
    wish: str,
    *,
    torch: str | None = None,
    cuda: str | None = None,
    ubuntu: str | None = None,
) -> Answer:
    """The tag for a wish such as "plain", "nvidia/cuda devel", "nvidia/cuda devel+cudnn", "pytorch/pytorch runtime"."""
    words = wish.lower().replace("+", " ").split()
    flavour = next((word for word in words if word in ("base", "runtime", "devel", "plain")), "runtime")
    wanted = _cuda(cuda) if cuda else None
    if any("pytorch" in word for word in words):
        return _pytorch(catalog, flavour, torch, wanted)
    if any("nvidia" in word or word == "cuda" for word in words) or flavour == "devel":
        return _nvidia(catalog, flavour, wanted, ubuntu, cudnn="cudnn" in words)
    tag = f"ubuntu:{ubuntu}" if ubuntu else catalog.default_base
    return _distribution(catalog, tag, torch)


def _nvidia(catalog: Catalog, flavour: str, cuda: CudaVersion | None, ubuntu: str | None, *, cudnn: bool) -> Answer:
    sources = catalog.tables.sources("nvidia_images", tuple(catalog.tables["nvidia_images"]["sources"]))
    if cuda is None:
        tags = [row.tag(flavour, row.ubuntu[-1], cudnn=cudnn) for row in catalog.nvidia_images]
        return answer("image", tags=tags, sources=sources)
    found = catalog.nvidia_image(cuda, ubuntu)
    if found is None:
        kept = sorted(
            {CudaVersion.parse(row.cuda) for row in catalog.nvidia_images if CudaVersion.parse(row.cuda).major == cuda.major}
        )
        others = [row.tag(flavour) for row in catalog.pytorch_images if row.cuda == str(cuda)]
        hints = [f"pytorch/pytorch still has it: {' or '.join(others[-2:])}"] if others else []
        hints += [f"of CUDA {cuda.major} there are {', '.join(map(str, kept))}"] if kept else []
        gone = " (NVIDIA deleted it)" if catalog.is_gone(str(cuda)) else ""
        raise WsbError("no-such-base", f"there is no nvidia/cuda image of CUDA {cuda}{gone}", hints=hints)
    system = ubuntu or ("22.04" if "22.04" in found.ubuntu else found.ubuntu[-1])
    needs = catalog.toolkit_driver(cuda, "linux")
    seen = "seen on Docker Hub" if cudnn and flavour == "devel" else "by the naming scheme; its cudnn-devel tag was seen"
    return answer(
        "image",
        tag=found.tag(flavour, system, cudnn=cudnn),
        cuda=found.cuda,
        ubuntu=list(found.ubuntu),
        basis=seen,
        starts_with_driver=str(needs) if needs else None,
        sources=sources,
    )


def _pytorch(catalog: Catalog, flavour: str, torch: str | None, cuda: CudaVersion | None) -> Answer:
    sources = catalog.tables.sources("pytorch_images", tuple(catalog.tables["pytorch_images"]["sources"]))
    rows = [
        row
        for row in catalog.pytorch_images
        if (torch is None or _same_release(row.torch, torch)) and (cuda is None or row.cuda == str(cuda))
    ]
    if not rows:
        near = [row for row in catalog.pytorch_images if torch is None or _same_release(row.torch, torch)]
        hints = [f"for torch {torch} there are {', '.join(row.tag(flavour) for row in near)}"] if near else []
        raise WsbError("no-such-base", f"no pytorch/pytorch image of torch {torch}, CUDA {cuda} is known", hints=hints)
    best = rows[-1]
    tags = [row.tag(flavour) for row in rows]
    return answer("image", tag=best.tag(flavour), tags=tags, unverified=best.unverified, sources=sources)


def _distribution(catalog: Catalog, tag: str, torch: str | None) -> Answer:
    found = catalog.distribution_of(tag)
    needs = release_named(catalog, torch).glibc.get(LINUX_X86_64) if torch else None
    if found is not None and needs is not None and Version(found.glibc) < Version(needs):
        raise WsbError(
            "glibc-too-old",
            f"torch {torch} needs glibc >= {needs}; {tag} has glibc {found.glibc}",
            hints=[f"take {catalog.default_base}"],
        )
    return answer(
        "image",
        tag=tag,
        glibc=found.glibc if found else None,
        python=found.python if found else None,
        needs_devel=False,
        sources=catalog.tables.sources("distributions", tuple(catalog.tables["distributions"]["sources"])),
    )


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
    chosen = Variant.parse(variant) if variant else release.default.get(LINUX_X86_64, Variant("cpu"))
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

    dependencies: such as pytorch=1.7.1 and cudatoolkit=11.0.
    """
    named = dict(_conda_line(line) for line in dependencies)
    version = named.get("pytorch") or named.get("torch")
    if not version:
        raise WsbError("bad-value", "no pytorch among these dependencies", hints=["such as pytorch=1.7.1 cudatoolkit=11.0"])
    release = release_named(catalog, version)
    variant = _conda_variant(named)
    pins = [row["constraint"] for row in catalog.constraints if row.get("only") == "conda"]
    fits = [
        pin
        for pin, row in zip(pins, [r for r in catalog.constraints if r.get("only") == "conda"], strict=True)
        if SpecifierSet(row["torch"]).contains(release.version)
    ]
    built = [str(build.variant) for build in catalog.builds(release, LINUX_X86_64)]
    channel = [row["cuda"] for row in catalog.tables.rows("conda") if row["torch"] == str(release.version)]
    return answer(
        "conda",
        torch=str(release.version),
        variant=variant if variant in built else None,
        unbuilt=variant if variant and variant not in built else None,
        torchvision=release.torchvision,
        torchaudio=release.torchaudio,
        add_pin=fits[0] if fits else None,
        variants=built,
        channel_cuda=channel or None,
        sources=catalog.tables.sources("conda", tuple(catalog.tables["conda"]["sources"])),
    )


def _conda_line(text: str) -> tuple[str, str]:
    match = re.match(r"([\w.-]+)\s*[=<>!~]*\s*([\d.]*)", text.strip())
    return (match[1].lower(), match[2]) if match else (text, "")


def _conda_variant(named: dict[str, str]) -> str | None:
    if "cpuonly" in named:
        return "cpu"
    for selector in ("pytorch-cuda", "cudatoolkit", "cuda-version"):
        if named.get(selector):
            return str(Variant.for_cuda(_cuda(named[selector])))
    for name in named:
        if match := re.fullmatch(r"cuda(\d{2,3})", name):
            return f"cu{match[1]}"
    return None


def _cuda(text: str) -> CudaVersion:
    variant = Variant.parse(text).cuda if re.fullmatch(r"cu\d{2,3}", text) else None
    if variant is not None:
        return variant
    try:
        return CudaVersion.parse(text)
    except ValueError as error:
        raise WsbError("bad-value", str(error)) from None


def _same_release(one: str, other: str) -> bool:
    try:
        return VersionRequest.parse(other).admits(Version(one))
    except ValueError:
        return False
