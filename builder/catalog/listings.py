"""What is in the tables when no name is given: one line for each row, enough to know what to ask next."""

from __future__ import annotations

from typing import Any

from packaging.version import Version

from builder.catalog.answers import Answer, answer
from builder.catalog.catalog import Catalog
from builder.catalog.kinds import KINDS
from builder.catalog.rows import LINUX_X86_64
from builder.errors import WsbError
from builder.model.values import Variant

_TABLES = {
    "companions": "torch",
    "torchvision": "companions",
    "torchaudio": "companions",
    "python": "torch",
    "driver": "cuda",
    "cuda": "cuda",
    "gpu": "gpus",
    "image": "distributions",
    "package": "ecosystem",
    "import": "imports",
    "conda": "conda",
    "installer": "installers",
}

_EXAMPLES = {
    "torch": "wsb catalog torch 2.6",
    "companions": "wsb catalog companions 2.6",
    "torchvision": "wsb catalog torchvision 0.21.0",
    "torchaudio": "wsb catalog torchaudio 2.6.0",
    "python": "wsb catalog python 3.13",
    "driver": "wsb catalog driver 550.54.15",
    "cuda": "wsb catalog cuda 12.6",
    "gpu": 'wsb catalog gpu "RTX 3090"',
    "image": 'wsb catalog image "nvidia/cuda devel" --cuda 12.6',
    "package": "wsb catalog package xformers --torch 2.6",
    "import": "wsb catalog import cv2",
    "conda": "wsb catalog conda pytorch=1.7.1 cudatoolkit=11.0",
    "installer": "wsb catalog installer miniconda",
}


def listing(catalog: Catalog, kind: str) -> Answer:
    """The rows of one kind. kind: one of KINDS but torch, which has a list of its own."""
    table = _TABLES[kind]
    content = _LISTS[kind](catalog)
    sources = catalog.tables.sources(table, tuple(catalog.tables[table]["sources"]))
    return answer(kind, **content, sources=sources, date=catalog.date(table))


def overview(catalog: Catalog) -> Answer:
    """What can be asked, and when each table was collected."""
    rows = [
        {"table": kind, "collected": catalog.date(_TABLES.get(kind, "torch")), "such_as": _EXAMPLES[kind]} for kind in KINDS
    ]
    return answer("catalog", tables=rows)


def _companions(catalog: Catalog) -> Answer:
    rows = [
        {"torch": str(one.version), "torchvision": one.torchvision, "torchaudio": one.torchaudio, "torchtext": one.torchtext}
        for one in catalog.releases
    ]
    return {"releases": rows}


def _of_package(package: str) -> Any:
    def rows(catalog: Catalog) -> Answer:
        found = [
            {"version": str(row.version), "requires_torch": row.requires_torch, "yanked": row.is_yanked}
            for row in catalog.companions(package)
        ]
        return {"releases": found}

    return rows


def _pythons(catalog: Catalog) -> Answer:
    usual = [one for one in catalog.releases if not one.is_lts]
    pythons = {python for one in usual for python in one.python_of(LINUX_X86_64)}
    rows = []
    for python in sorted(pythons, key=Version):
        having = [one.version for one in usual if python in one.python_of(LINUX_X86_64)]
        rows.append({"python": python, "first_torch": str(min(having)), "newest_torch": str(max(having))})
    return {"platform": LINUX_X86_64, "pythons": rows}


def _drivers(catalog: Catalog) -> Answer:
    floors = [
        {"variant": row["variant"], "linux": row["linux"], "windows": row["windows"]}
        for row in catalog.tables.rows("cuda", "floors")
    ]
    branches = [_shown(row) for row in catalog.tables.rows("cuda", "branches")]
    return {"floors": floors, "branches": branches}


def _cudas(catalog: Catalog) -> Answer:
    rows = []
    for cuda in sorted({toolkit.cuda for toolkit in catalog.toolkits}, reverse=True):
        variant = Variant.for_cuda(cuda)
        built = [str(one.version) for one in catalog.releases if catalog.build(one, LINUX_X86_64, variant)]
        floor = catalog.driver_floor(variant, "linux")
        rows.append(
            {
                "cuda": str(cuda),
                "driver": str(floor) if floor else None,
                "came_with": str(min(one.linux for one in catalog.toolkits if one.cuda == cuda)),
                "torch": f"{built[-1]} to {built[0]}" if built else None,
            }
        )
    return {"toolkits": rows}


def _gpus(catalog: Catalog) -> Answer:
    rows = []
    for model in catalog.gpus:
        architecture = catalog.architecture(model.compute_capability)
        rows.append(
            {
                "gpu": model.name,
                "compute_capability": str(model.compute_capability),
                "architecture": architecture.name if architecture else None,
                "unverified": model.unverified,
            }
        )
    return {"gpus": rows}


def _images(catalog: Catalog) -> Answer:
    """The base that is taken where nothing compiles, and what other images there are."""
    base = catalog.distribution_of(catalog.default_base)
    return {
        "tag": catalog.default_base,
        "flavour": "plain",
        "glibc": base.glibc if base else None,
        "python": base.python if base else None,
        "needs_devel": False,
        "nvidia/cuda": [f"{row.cuda} on Ubuntu {', '.join(row.ubuntu)}" for row in catalog.nvidia_images],
        "deleted": [row["cuda"] for row in catalog.tables.rows("nvidia_images", "gone")],
        "pytorch/pytorch": [f"{row.torch} with CUDA {row.cuda}" for row in catalog.pytorch_images],
    }


def _packages(catalog: Catalog) -> Answer:
    rows = [
        {"package": row["package"], "compiles": row.get("compiles"), "because": row["because"]}
        for row in catalog.tables.rows("ecosystem")
    ]
    return {"packages": rows, "constraints": [_shown(row) for row in catalog.constraints]}


def _imports(catalog: Catalog) -> Answer:
    rows = [{"import": row["import"], "distribution": row["distribution"]} for row in catalog.tables.rows("imports")]
    return {"imports": rows, "traps": [_shown(row) for row in catalog.tables.rows("imports", "traps")]}


def _conda(catalog: Catalog) -> Answer:
    channel: dict[str, list[str]] = {}
    for row in catalog.tables.rows("conda"):
        channel.setdefault(row["torch"], []).append(row["cuda"])
    forge = [_shown(row) for row in catalog.tables.rows("conda", "conda_forge")]
    last = catalog.tables["conda"]["pytorch_channel"]["last"]
    return {
        "last_on_pytorch_channel": last,
        "pytorch_channel": [{"torch": torch, "cuda": cuda} for torch, cuda in channel.items()],
        "conda_forge": forge,
    }


def _installers(catalog: Catalog) -> Answer:
    rows = []
    for kind in ("Miniconda3", "Miniforge3", "micromamba"):
        for platform in ("linux/amd64", "linux/arm64"):
            if (found := catalog.installer(kind, platform)) is not None:
                rows.append(
                    {
                        "installer": kind,
                        "version": found.version,
                        "platform": platform,
                        "sha256": found.sha256,
                        "url": found.url,
                    }
                )
    return {"installers": rows}


def _shown(row: Any) -> Answer:
    return {key: value for key, value in row.items() if key != "source"}


_LISTS = {
    "companions": _companions,
    "torchvision": _of_package("torchvision"),
    "torchaudio": _of_package("torchaudio"),
    "python": _pythons,
    "driver": _drivers,
    "cuda": _cudas,
    "gpu": _gpus,
    "image": _images,
    "package": _packages,
    "import": _imports,
    "conda": _conda,
    "installer": _installers,
}


def installer(catalog: Catalog, text: str) -> Answer:
    """Installers whose kind, version, Python or architecture hold these words, the newest first."""
    words = text.lower().replace("linux/amd64", "x86_64").replace("linux/arm64", "aarch64").split()
    rows = [
        _shown(row)
        for row in catalog.tables.rows("installers")
        if all(word in f"{row['kind']} {row['file']}".lower() for word in words)
    ]
    rows.sort(
        key=lambda row: [int(part) for part in row["version"].replace("-", ".").split(".") if part.isdigit()], reverse=True
    )
    if words == ["micromamba"]:
        return listing(catalog, "installer")
    defaults = catalog.tables["installers"]["defaults"]
    pinned = {kind: defaults[kind] for kind in ("Miniconda3", "Miniforge3")}
    sources = catalog.tables.sources("installers", tuple(catalog.tables["installers"]["sources"]))
    if not rows:
        hint = "such as `wsb catalog installer Miniconda3 py311 x86_64`"
        raise WsbError("bad-value", f"no installer in the tables is called {text!r}", hints=[hint])
    return answer("installer", taken_by_default=pinned, installers=rows, sources=sources)
