"""Answers about drivers and GPUs: what a driver runs, what a card needs."""

from __future__ import annotations

import re
from typing import Any

from builder.catalog.answers import Answer, answer
from builder.catalog.catalog import Catalog
from builder.catalog.rows import LINUX_X86_64, TorchBuild
from builder.errors import WsbError
from builder.model.host import OperatingSystem
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion, Variant


def driver(catalog: Catalog, text: str, *, os: OperatingSystem = "linux", platform: str = LINUX_X86_64) -> Answer:
    """What a driver runs: its own CUDA, the builds of torch, the newest torch, and the nvidia/cuda images that start."""
    try:
        version = DriverVersion.parse(text)
    except ValueError as error:
        raise WsbError("bad-value", str(error), hints=["nvidia-smi shows it at the top left, such as 550.54.15"]) from None
    own = catalog.driver_cuda(version, os)
    runs = [row["variant"] for row in catalog.tables.rows("cuda", "floors") if _floor_met(catalog, row["variant"], version, os)]
    newest = _newest_that(catalog, platform, lambda build: _floor_met(catalog, build.variant.name, version, os))
    images = sorted({str(CudaVersion.parse(i.cuda)) for i in catalog.nvidia_images if own and CudaVersion.parse(i.cuda) <= own})
    branch = f"R{version.parts[0]}"
    known = next((row for row in catalog.tables.rows("cuda", "branches") if row["branch"] == branch), None)
    return answer(
        "driver",
        driver=text,
        os=os,
        cuda=str(own) if own else None,
        runs=runs,
        newest_torch=newest.local if newest else None,
        nvidia_images=sorted(images, key=CudaVersion.parse, reverse=True),
        branch={key: value for key, value in known.items() if key != "source"} if known else None,
        sources=catalog.tables.sources("cuda", tuple(catalog.tables["cuda"]["sources"])),
    )


def cuda(catalog: Catalog, text: str) -> Answer:
    """What a CUDA needs of a driver, and which torch is built for it."""
    variant = _variant(text)
    toolkits = [row for row in catalog.tables.rows("cuda", "toolkits") if variant.cuda and row["cuda"] == str(variant.cuda)]
    built = [str(one.version) for one in catalog.releases if catalog.build(one, LINUX_X86_64, variant)]
    floors = {os: catalog.driver_floor(variant, os) for os in ("linux", "windows")}
    return answer(
        "cuda",
        cuda=str(variant.cuda),
        variant=str(variant),
        driver_linux=str(floors["linux"]) if floors["linux"] else None,
        driver_windows=str(floors["windows"]) if floors["windows"] else None,
        toolkits=[{key: value for key, value in row.items() if key != "source"} for row in toolkits],
        torch=built,
        sources=catalog.tables.sources("cuda", tuple(catalog.tables["cuda"]["sources"])),
    )


def gpu(catalog: Catalog, name: str, *, platform: str = LINUX_X86_64) -> Answer:
    """What a card needs: its compute capability, the first torch with code for it, the last, and the oldest driver."""
    capability, known, unverified = _capability(catalog, name)
    architecture = catalog.architecture(capability)
    serving: list[TorchBuild] = [
        build
        for release in catalog.releases
        for build in catalog.builds(release, platform)
        if build.code is not None and build.is_advertised and catalog.runs(build.code, capability, build.variant.cuda)
    ]
    floors = [floor for build in serving if (floor := catalog.driver_floor(build.variant, "linux"))]
    by_variant: dict[str, list[str]] = {}
    for build in serving:
        by_variant.setdefault(str(build.variant), []).append(str(build.version))
    return answer(
        "gpu",
        gpu=known,
        compute_capability=str(capability),
        architecture=architecture.name if architecture else None,
        first_cuda=str(architecture.first_cuda) if architecture else None,
        last_cuda=str(architecture.last_cuda) if architecture and architecture.last_cuda else None,
        last_driver=architecture.last_driver if architecture else None,
        newest_torch=serving[0].version.public if serving else None,
        newest_builds=[build.local for build in serving if build.version == serving[0].version],
        first_torch=serving[-1].local if serving else None,
        oldest_driver=str(min(floors)) if floors else None,
        builds={variant: f"{versions[-1]} to {versions[0]}" for variant, versions in by_variant.items()},
        unverified=unverified,
        sources=catalog.tables.sources("gpus", ("gpus", "matrix", "rule")),
    )


def _capability(catalog: Catalog, name: str) -> tuple[ComputeCapability, str, str | None]:
    number = re.fullmatch(r"(?:cc|compute capability|sm_?|compute_)?\s*(\d{1,2})\.?(\d)", name.strip(), re.IGNORECASE)
    if number:
        return ComputeCapability(int(number[1]), int(number[2])), f"any of compute capability {number[1]}.{number[2]}", None
    found = catalog.gpu(name)
    if found is None:
        called = catalog.gpus_called(name)
        if called:
            kinds = ", ".join(f"{model.name} ({model.compute_capability})" for model in called)
            raise WsbError("bad-value", f"several GPUs are called {name!r}", hints=[f"say which one: {kinds}"])
        similar = catalog.similar_gpus(name)
        hints = [f"did you mean {', '.join(similar)}?"] if similar else []
        hints.append(
            "give its compute capability instead, such as 8.6; nvidia-smi --query-gpu=compute_cap --format=csv tells it"
        )
        raise WsbError("bad-value", f"the GPU {name!r} is not in the tables", hints=hints)
    return found.compute_capability, found.name, found.unverified


def _floor_met(catalog: Catalog, variant: str, driver: DriverVersion, os: OperatingSystem) -> bool:
    floor = catalog.driver_floor(Variant(variant), os)
    return floor is not None and driver >= floor


def _newest_that(catalog: Catalog, platform: str, fits: Any) -> TorchBuild | None:
    for release in catalog.releases:
        builds = [b for b in catalog.builds(release, platform) if b.variant.cuda and b.is_advertised and fits(b)]
        if builds:
            return next((build for build in builds if build.is_default), builds[-1])
    return None


def _variant(text: str) -> Variant:
    try:
        return Variant.parse(text) if text.startswith("cu") else Variant.for_cuda(CudaVersion.parse(text))
    except ValueError as error:
        raise WsbError("bad-value", str(error)) from None
