"""The base image: plain wherever only wheels are installed, NVIDIA's compiler image of the same CUDA where one compiles."""

from __future__ import annotations

import re

from builder.errors import WsbError
from builder.model.plan import BasePlan, Rejected
from builder.model.values import CudaVersion, Flavour, Manager
from builder.resolve.choice import Choice
from builder.resolve.given import Given, listed
from builder.resolve.ground import BOOTSTRAPPED, Ground
from builder.resolve.limits import image_refuses
from builder.resolve.notes import Notes, rejected
from builder.resolve.tags import warn_of_tag
from builder.resolve.target import Target

_NVIDIA = r"(?:^|/)nvidia/cuda:(?P<cuda>\d+\.\d+(?:\.\d+)?)(?P<rest>\S*)$"


def choose_base(
    given: Given,
    ground: Ground,
    target: Target,
    choice: Choice | None,
    python: str,
    compiles: tuple[str, ...],
    notes: Notes,
    *,
    exact: bool = False,
) -> BasePlan:
    """The base. compiles: packages that need nvcc; exact: of torch's very CUDA.

    Raises WsbError when the C library or the driver rules it out.
    """
    if ground.kind == "bootstrap":
        return _bootstrapped(ground, choice, compiles, notes)
    if ground.kind == "image":
        return _asked_for(given, ground, target, notes)
    cuda = choice.build.variant.cuda if choice else None
    if compiles and cuda is not None and choice is not None:
        return _compiler(given, ground, target, choice, python, compiles, notes, exact=exact)
    if ground.manager is Manager.VENV:
        image = given.catalog.python_image(python)
        notes.decide("base.image", image, f"a small Debian with Python {python}, since a venv uses the base's own")
    else:
        image = given.catalog.default_base
        notes.decide("base.image", image, "a small Debian: wheels of torch carry CUDA and cuDNN themselves")
    return BasePlan(image=image)


def _bootstrapped(ground: Ground, choice: Choice | None, compiles: tuple[str, ...], notes: Notes) -> BasePlan:
    image = f"{BOOTSTRAPPED}:{ground.value}"
    if not any(one.source == "registry" for one in notes.fallbacks):
        notes.decide("base.image", image, f"wsb.yaml asks for a base made from {ground.value}'s own packages")
    _warn_no_compiler(image, choice, compiles, notes)
    return BasePlan(image=image, bootstrap=ground.value)


def _asked_for(given: Given, ground: Ground, target: Target, notes: Notes) -> BasePlan:
    image = ground.value
    notes.decide("base.image", image, f"wsb.yaml asks for it ({ground.where})")
    warn_of_tag(image, target, given.catalog, notes)
    flavour = _flavour(image)
    nvidia = re.search(_NVIDIA, image)
    if nvidia:
        _check_nvidia(given, ground, target, nvidia["cuda"], nvidia["rest"], notes)
    return BasePlan(image=image, flavour=flavour)


def _check_nvidia(given: Given, ground: Ground, target: Target, cuda: str, rest: str, notes: Notes) -> None:
    catalog, image = given.catalog, ground.value
    held = given.reach is not None and image in given.reach.local_images
    if catalog.is_gone(cuda) and not held:
        kept = catalog.nvidia_image(CudaVersion.parse(cuda))
        hints = (f"the one that is kept is nvidia/cuda:{kept.cuda}{rest}",) if kept else (_old_compilers(given, cuda),)
        raise WsbError("no-such-base", f"NVIDIA has deleted {image}", ground.where, hints=hints)
    because = image_refuses(CudaVersion.parse(cuda), target, catalog) if target.kind == "cuda" else None
    if because is None:
        return
    if target.gpus and all((m := catalog.gpu(gpu.name)) is not None and m.is_data_center for gpu in target.gpus):
        notes.warn("base-driver", f"{because}; on data-centre cards NVIDIA makes exceptions, so this was let through")
        return
    assert target.driver is not None
    own = catalog.driver_cuda(target.driver, target.os)
    fits = _newest_image(given, own, own.major if own else 0)
    older = (f"nvidia/cuda:{fits}{rest} starts with this driver",) if fits else ()
    raise WsbError(
        "driver-too-old",
        because,
        ground.where,
        hints=("`base: auto` takes a plain image, on which the same torch runs with this driver", *older),
    )


def _compiler(
    given: Given,
    ground: Ground,
    target: Target,
    choice: Choice,
    python: str,
    compiles: tuple[str, ...],
    notes: Notes,
    *,
    exact: bool,
) -> BasePlan:
    """nvidia/cuda with nvcc: the CUDA of torch, or an older minor of the same major where the driver asks for it."""
    cuda = choice.build.variant.cuda
    assert cuda is not None
    catalog = given.catalog
    ubuntu = _ubuntu_with(given, target, cuda, python) if ground.manager is Manager.VENV else None
    passed: list[Rejected] = []
    for image in catalog.nvidia_images:
        version = CudaVersion.parse(image.cuda)
        if not _is_for(version, cuda) or (ubuntu and ubuntu not in image.ubuntu):
            continue
        because = image_refuses(version, target, catalog)
        if because is not None:
            if all(CudaVersion.parse(one.value) != version for one in passed):
                passed.append(rejected(version, because))
            continue
        system = ubuntu or ("22.04" if "22.04" in image.ubuntu else image.ubuntu[-1])
        tag = image.tag("devel", system)
        why = f"{listed(compiles)} must be compiled for the GPU, which needs nvcc of CUDA {cuda.major}"
        if version != cuda:
            why += f"; {version} instead of {cuda} is close enough (only the major must agree)"
            if exact:
                notes.warn("inexact-cuda", f"{listed(compiles)} asks for nvcc of CUDA {cuda} exactly; {tag} has {version}")
        notes.decide("base.image", tag, why, [*passed, rejected(catalog.default_base, "it has no nvcc")])
        notes.warn("unverified", f"{tag} follows the naming scheme of nvidia/cuda; only its twin with cudnn was seen")
        return BasePlan(image=tag, flavour=Flavour.DEVEL)
    older = _pytorch_image(given, ground, target, cuda)
    if older is not None:
        why = f"{listed(compiles)} must be compiled for the GPU, and NVIDIA keeps no image with nvcc of CUDA {cuda} any more"
        notes.decide("base.image", older, why, [*passed, rejected(catalog.default_base, "it has no nvcc")])
        return BasePlan(image=older, flavour=Flavour.DEVEL)
    reason = passed[-1].because if passed else f"there is no nvidia/cuda image for CUDA {cuda} (any more)"
    where = given.spec.base.where if given.spec.base else given.spec.where
    raise NoCompiler(
        "no-such-base",
        f"{listed(compiles)} must be compiled with nvcc of CUDA {cuda}, and {reason}",
        where,
        hints=(_old_compilers(given, str(cuda)),),
    )


def _pytorch_image(given: Given, ground: Ground, target: Target, cuda: CudaVersion) -> str | None:
    """The newest image of pytorch/pytorch with nvcc of an old CUDA. Its own Python is conda's, so none for a venv."""
    if ground.manager is Manager.VENV or image_refuses(cuda, target, given.catalog) is not None:
        return None
    tags = [image.tag("devel") for image in given.catalog.pytorch_images if image.cuda == str(cuda)]
    return tags[-1] if tags else None


class NoCompiler(WsbError):
    """No image is left that has nvcc for the build that was chosen."""


class OtherPythons(Exception):
    """A venv must stand on a compiler image, and none of those has the Python that was chosen. pythons: those they have."""

    def __init__(self, pythons: tuple[str, ...]) -> None:
        super().__init__(pythons)
        self.pythons = pythons


def _ubuntu_with(given: Given, target: Target, cuda: CudaVersion, python: str) -> str | None:
    """The Ubuntu of a compiler image that starts here and has this Python of its own; None when none starts at all."""
    images = [image for image in given.catalog.nvidia_images if _is_for(CudaVersion.parse(image.cuda), cuda)]
    starting = [i for i in images if image_refuses(CudaVersion.parse(i.cuda), target, given.catalog) is None]
    ubuntus = {ubuntu for image in starting for ubuntu in image.ubuntu}
    rows = [row for row in given.catalog.distributions if row.names[0] == "ubuntu" and row.version in ubuntus and row.python]
    for row in rows:
        if row.python == python:
            return row.version
    if rows:
        raise OtherPythons(tuple(row.python for row in rows if row.python))
    return None


def _is_for(image: CudaVersion, cuda: CudaVersion) -> bool:
    """Whether nvcc of an image serves a torch of this CUDA: the same major, and not newer."""
    return image.major == cuda.major and image <= cuda


def _old_compilers(given: Given, cuda: str) -> str:
    """What still has nvcc of a CUDA whose own images are gone."""
    series = str(CudaVersion.parse(cuda))
    tags = [image.tag("devel") for image in given.catalog.pytorch_images if image.cuda == series]
    if tags:
        return f"images of pytorch/pytorch still have it: `base: {listed(tags[-2:], 'or')}`"
    return "name a `base:` of your own that has nvcc"


def _newest_image(given: Given, cuda: CudaVersion | None, major: int) -> str | None:
    if cuda is None:
        return None
    for image in given.catalog.nvidia_images:
        version = CudaVersion.parse(image.cuda)
        if version <= cuda and version.major == major:
            return image.cuda
    return None


def _warn_no_compiler(image: str, choice: Choice | None, compiles: tuple[str, ...], notes: Notes) -> None:
    if compiles and choice is not None and choice.build.variant.cuda is not None:
        notes.warn("no-compiler", f"{listed(compiles)} must be compiled with nvcc, which {image} does not have")


def _flavour(image: str) -> Flavour:
    if re.search(r"[-:]devel\b", image):
        return Flavour.DEVEL
    if re.search(r"(^|/)nvidia/cuda:|(^|/)pytorch/pytorch:|-runtime\b", image):
        return Flavour.RUNTIME
    return Flavour.PLAIN
