"""The three limits, each asked alone and answered with None or with the reason in plain words.

1. The driver must be new enough for the CUDA inside the wheel.
2. The wheel must hold machine code that the GPU understands.
3. A base image of NVIDIA's asks for a driver of its own.
"""

from __future__ import annotations

from builder.catalog import Catalog
from builder.catalog.rows import TorchBuild
from builder.model.host import Gpu, OperatingSystem
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion, Variant
from builder.resolve.given import listed
from builder.resolve.target import Target, short

_OLDEST_LIFTED = DriverVersion.parse("450")


def driver_refuses(variant: Variant, target: Target, catalog: Catalog) -> str | None:
    """Limit 1: why this driver cannot run a build of this CUDA."""
    if target.driver is None or variant.cuda is None:
        return None
    floor = catalog.driver_floor(variant, target.os)
    if floor is None or target.driver >= floor or is_lifted(variant, target):
        return None
    return f"CUDA {variant.cuda} needs driver {floor} or newer; this machine has {target.driver}"


def is_lifted(variant: Variant, target: Target) -> bool:
    """Whether cuda-compat, which an nvidia/cuda base carries, runs this CUDA on an older driver of data-centre cards.

    Source: docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html
    """
    if target.lifted_to is None or target.driver is None or variant.cuda is None:
        return False
    return variant.cuda <= target.lifted_to and target.driver >= _OLDEST_LIFTED


def code_refuses(build: TorchBuild, target: Target, catalog: Catalog) -> str | None:
    """Limit 2: which GPUs find no machine code in this build."""
    if not target.gpus or build.variant.cuda is None:
        return None
    if build.code is None:
        return f"which GPUs {build.local} has code for is not known"
    unserved = [gpu for gpu in target.gpus if not serves(build, gpu, target, catalog)]
    if not unserved:
        return None
    return why_no_code(build, unserved[0])


def serves(build: TorchBuild, gpu: Gpu, target: Target, catalog: Catalog) -> bool:
    """Whether this card runs this build's machine code."""
    if gpu.compute_capability is None or build.code is None:
        return True
    if catalog.runs(build.code, gpu.compute_capability, build.variant.cuda):
        return not _only_by_ptx(build, gpu.compute_capability, catalog) or _compiles_forward(build.variant, target, catalog)
    return False


def why_no_code(build: TorchBuild, gpu: Gpu) -> str:
    """The sentence for a card that finds no code: too new, too old, or of another kind."""
    capability = gpu.compute_capability
    assert build.code is not None
    assert capability is not None
    codes = build.code.sm
    covered = f"{codes[0]} to {codes[-1]}" if len(codes) > 1 else str(codes[0])
    what = f"{short(gpu.name)} needs machine code for compute capability {capability}"
    if capability > codes[-1]:
        return f"{what} (a newer generation of GPUs); this build was made for {covered}, before that one"
    if capability < codes[0]:
        return f"{what} (an older generation of GPUs); this build was made for {covered}, after that one"
    held = listed(str(code) for code in codes)
    return f"{what}; this build holds code for {held}, and code of one generation does not run on another"


def image_refuses(cuda: CudaVersion, target: Target, catalog: Catalog) -> str | None:
    """Limit 3: why a container of nvidia/cuda with this CUDA would not start with this driver.

    Such an image carries NVIDIA_REQUIRE_CUDA=cuda>=X.Y: the CUDA of the driver itself counts, without the leeway that
    wheels have. On data-centre cards NVIDIA makes exceptions, which are not counted here.
    """
    if target.driver is None:
        return None
    own = driver_cuda(target.driver, target.os, catalog)
    if own is not None and own >= cuda:
        return None
    needed = catalog.toolkit_driver(cuda, target.os)
    least = f" (driver {needed} or newer)" if needed else ""
    has = f"driver {target.driver} has CUDA {own}" if own else f"driver {target.driver} is older than CUDA 8.0"
    return f"an nvidia/cuda image of CUDA {cuda} does not start below CUDA {cuda} of the driver itself{least}; {has}"


def driver_cuda(driver: DriverVersion, os: OperatingSystem, catalog: Catalog) -> CudaVersion | None:
    return catalog.driver_cuda(driver, os)


def _only_by_ptx(build: TorchBuild, capability: ComputeCapability, catalog: Catalog) -> bool:
    assert build.code is not None
    own = type(build.code)(sm=build.code.sm, ptx=())
    return not catalog.runs(own, capability, build.variant.cuda)


def _compiles_forward(variant: Variant, target: Target, catalog: Catalog) -> bool:
    """Whether the driver can compile this build's PTX: it must be at least of the same CUDA."""
    if target.driver is None or variant.cuda is None:
        return True
    own = catalog.driver_cuda(target.driver, target.os)
    return own is not None and own >= variant.cuda
