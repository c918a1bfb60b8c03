"""Answers about base images: the tag for a wish, or what stands in the way of it."""

from __future__ import annotations

import re

from packaging.version import Version

from builder.catalog.answers import Answer, answer, release_named
from builder.catalog.catalog import Catalog
from builder.catalog.rows import LINUX_X86_64
from builder.catalog.wishes import Wish, wish_of
from builder.errors import WsbError
from builder.model.values import CudaVersion, Variant, VersionRequest


def image(
    catalog: Catalog,
    text: str,
    *,
    torch: str | None = None,
    cuda: str | None = None,
    ubuntu: str | None = None,
) -> Answer:
    """The tag for a wish such as "plain", "nvidia/cuda devel+cudnn", "pytorch/pytorch runtime", "ubuntu:18.04"."""
    wish = wish_of(text)
    torch, ubuntu = torch or wish.torch, ubuntu or wish.ubuntu
    written = cuda or wish.cuda
    if wish.repository == "pytorch/pytorch":
        return _pytorch(catalog, wish.flavour or "runtime", torch, _cuda(written) if written else None)
    if wish.repository or wish.flavour in ("devel", "base", "runtime") or (wish.with_cudnn or written):
        return _nvidia(catalog, wish, torch, written, ubuntu)
    tag = wish.image or (f"ubuntu:{ubuntu}" if ubuntu else catalog.default_base)
    return _distribution(catalog, tag, torch)


def _nvidia(catalog: Catalog, wish: Wish, torch: str | None, written: str | None, ubuntu: str | None) -> Answer:
    flavour = wish.flavour if wish.flavour not in (None, "plain") else "runtime"
    assert flavour is not None
    sources = catalog.tables.sources("nvidia_images", tuple(catalog.tables["nvidia_images"]["sources"]))
    if written is None and torch is not None:
        default = release_named(catalog, torch).default.get(LINUX_X86_64)
        written = str(default.cuda) if default and default.cuda else None
    if written is None:
        tags = [row.tag(flavour, row.ubuntu[-1], cudnn=wish.with_cudnn) for row in catalog.nvidia_images]
        return answer("image", tags=tags, sources=sources)
    cuda = _cuda(written)
    exact = written if re.fullmatch(r"\d+\.\d+\.\d+", written) else None
    rows = [row for row in catalog.nvidia_images if CudaVersion.parse(row.cuda) == cuda]
    found = next((row for row in rows if exact in (None, row.cuda) and ubuntu in (None, *row.ubuntu)), None)
    if found is None:
        raise _no_nvidia(catalog, cuda, exact, ubuntu, flavour)
    system = ubuntu or ("22.04" if "22.04" in found.ubuntu else found.ubuntu[-1])
    needs = catalog.toolkit_driver(cuda, "linux")
    was_seen = wish.with_cudnn and flavour == "devel"
    tag = found.tag(flavour, system, cudnn=wish.with_cudnn and flavour != "base")
    return answer(
        "image",
        tag=tag,
        cuda=found.cuda,
        flavour=flavour,
        ubuntu=list(found.ubuntu),
        basis="seen on Docker Hub" if was_seen else "by the naming scheme; its cudnn-devel tag was seen",
        starts_with_driver=str(needs) if needs else None,
        sources=sources,
    )


def _no_nvidia(catalog: Catalog, cuda: CudaVersion, exact: str | None, ubuntu: str | None, flavour: str) -> WsbError:
    """Why there is no such image, what else has this CUDA, and which CUDA there is."""
    there = [CudaVersion.parse(row.cuda) for row in catalog.nvidia_images]
    kept = [row for row in catalog.nvidia_images if CudaVersion.parse(row.cuda) == cuda]
    hints = []
    if kept and exact:
        hints.append(f"of CUDA {cuda} there is {kept[0].tag(flavour, kept[0].ubuntu[-1])}")
    if kept and ubuntu:
        hints.append(f"of CUDA {cuda} there are images on Ubuntu {', '.join(kept[0].ubuntu)}")
    others = [row.tag(flavour) for row in catalog.pytorch_images if row.cuda == str(cuda) and flavour in ("runtime", "devel")]
    hints += [f"pytorch/pytorch still has it: {' or '.join(others[-2:])}"] if others and not kept else []
    near = sorted({one for one in there if one.major == cuda.major})
    hints += [f"of CUDA {cuda.major} there are {', '.join(map(str, near))}"] if near else []
    gone = " (NVIDIA deleted it)" if catalog.is_gone(exact or str(cuda)) else ""
    where = f" on Ubuntu {ubuntu}" if ubuntu and kept and not exact else ""
    return WsbError("no-such-base", f"there is no nvidia/cuda image of CUDA {exact or cuda}{where}{gone}", hints=hints)


def _pytorch(catalog: Catalog, flavour: str, torch: str | None, cuda: CudaVersion | None) -> Answer:
    if flavour not in ("runtime", "devel"):
        flavour = "runtime"
    sources = catalog.tables.sources("pytorch_images", tuple(catalog.tables["pytorch_images"]["sources"]))
    rows = [
        row
        for row in catalog.pytorch_images
        if (torch is None or _same_release(row.torch, torch)) and (cuda is None or row.cuda == str(cuda))
    ]
    if not rows:
        near = [row for row in catalog.pytorch_images if torch is None or _same_release(row.torch, torch)]
        hints = [f"for torch {torch} there are {', '.join(row.tag(flavour) for row in near)}"] if near else []
        if not near:
            known = dict.fromkeys(row.torch for row in catalog.pytorch_images)
            hints = [f"there are images of torch {', '.join(known)}"]
        what = f" of torch {torch}" if torch else ""
        raise WsbError(
            "no-such-base", f"no pytorch/pytorch image{what}{f', CUDA {cuda},' if cuda else ''} is known", hints=hints
        )
    best = rows[-1]
    default = catalog.release(Version(best.torch)) if torch and cuda is None else None
    if default is not None and (variant := default.default.get(LINUX_X86_64)) and variant.cuda:
        best = next((row for row in rows if row.torch == best.torch and row.cuda == str(variant.cuda)), best)
    tags = [row.tag(flavour) for row in rows]
    return answer(
        "image",
        tag=best.tag(flavour),
        torch=best.torch,
        cuda=best.cuda,
        flavour=flavour,
        tags=tags,
        unverified=best.unverified,
        sources=sources,
    )


def _distribution(catalog: Catalog, tag: str, torch: str | None) -> Answer:
    found = catalog.distribution_of(tag)
    release = release_named(catalog, torch) if torch else None
    needs = release.glibc.get(LINUX_X86_64) if release else None
    if catalog.is_without_glibc(tag):
        hint = f"take {catalog.default_base}, which is small too"
        raise WsbError("glibc-too-old", f"{tag} has musl for a C library; wheels of torch need glibc", hints=[hint])
    if found is not None and release is not None and needs is not None and Version(found.glibc) < Version(needs):
        raise WsbError(
            "glibc-too-old",
            f"torch {release.version} needs glibc >= {needs}; {tag} has glibc {found.glibc}",
            hints=[f"take {catalog.default_base}"],
        )
    return answer(
        "image",
        tag=tag,
        flavour="plain",
        glibc=found.glibc if found else None,
        python=found.python if found else None,
        needs_devel=False,
        unverified=found.unverified if found else "this image is in no table",
        sources=catalog.tables.sources("distributions", tuple(catalog.tables["distributions"]["sources"])),
    )


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
