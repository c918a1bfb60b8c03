"""Tags of nvidia/cuda and pytorch/pytorch that wsb.yaml names: whether anyone has seen them, and what else is told of them."""

from __future__ import annotations

import re

from builder.catalog import Catalog
from builder.catalog.rows import NvidiaImage, PytorchImage
from builder.model.values import CudaVersion
from builder.resolve.given import listed
from builder.resolve.limits import image_refuses
from builder.resolve.notes import Notes
from builder.resolve.target import Target

_NVIDIA = r"(?:^|/)nvidia/cuda:(?P<cuda>\d+\.\d+(?:\.\d+)?)(?P<rest>-\S+)?$"
_PYTORCH = r"(?:^|/)pytorch/pytorch:(?P<torch>\d[\w.]*)-cuda(?P<cuda>\d+\.\d+)-cudnn(?P<cudnn>[\d.]+)-(?P<flavour>\w+)$"


def warn_of_tag(image: str, target: Target, catalog: Catalog, notes: Notes) -> None:
    """Warnings on an image that was asked for. Nothing is refused: registries know more than any table does."""
    system = catalog.distribution_of(image)
    if system is not None and system.unverified:
        notes.warn("unverified", f"the C library and the Python of {system.title} were not verified: {system.unverified}")
    if match := re.search(_NVIDIA, image):
        _of_nvidia(image, match["cuda"], match["rest"] or "", catalog, notes)
    elif match := re.search(_PYTORCH, image):
        _of_pytorch(image, match, target, catalog, notes)


def _of_nvidia(image: str, cuda: str, rest: str, catalog: Catalog, notes: Notes) -> None:
    version = CudaVersion.parse(cuda)
    doubt = next((one.unverified for one in catalog.toolkits if one.cuda == version and one.unverified), None)
    if doubt:
        notes.warn("unverified", f"which driver CUDA {version} came with was not verified ({doubt}), and {image} asks for it")
    if version > CudaVersion.parse(catalog.nvidia_images[0].cuda):
        return  # newer than the table
    same = [row for row in catalog.nvidia_images if CudaVersion.parse(row.cuda) == version]
    if not same:
        near = sorted({one for row in catalog.nvidia_images if (one := CudaVersion.parse(row.cuda)).major == version.major})
        notes.warn(
            "base-unknown", f"no image of CUDA {version} is known ({image}); of CUDA {version.major} there are {listed(near)}"
        )
        return
    ubuntu = re.search(r"ubuntu(\d\d\.\d\d)", rest)
    if ubuntu and not any(ubuntu[1] in row.ubuntu for row in same):
        notes.warn(
            "base-unknown", f"no image of CUDA {version} on Ubuntu {ubuntu[1]} is known ({image}); {_on_ubuntu(same[0])}"
        )
    elif "-cudnn" in rest and not any(re.search(rf"-{row.cudnn}(-|$)", rest) for row in same):
        notes.warn("base-unknown", f"tags of CUDA {version} spell cuDNN as -{same[0].cudnn}-, which {image} does not")


def _on_ubuntu(row: NvidiaImage) -> str:
    return f"{row.cuda} is there on Ubuntu {listed(row.ubuntu)}"


def _of_pytorch(image: str, match: re.Match[str], target: Target, catalog: Catalog, notes: Notes) -> None:
    known = [row for row in catalog.pytorch_images if row.torch == match["torch"]]
    found = next((row for row in known if (row.cuda, row.cudnn) == (match["cuda"], match["cudnn"])), None)
    if found is None:
        others = f"; for torch {match['torch']} there is {_tags(known, match['flavour'])}" if known else ""
        notes.warn("base-unknown", f"{image} is in no list of tags, though public Dockerfiles name such ones{others}")
    elif found.unverified:
        notes.warn("unverified", f"{image}: not verified: {found.unverified}")
    if match["flavour"] == "devel" and target.kind == "cuda":
        because = image_refuses(CudaVersion.parse(match["cuda"]), target, catalog)
        if because is not None:
            notes.warn("base-driver", f"{image} is made from an nvidia/cuda image: {because}")


def _tags(rows: list[PytorchImage], flavour: str) -> str:
    return listed((row.tag(flavour) for row in rows), "or")
