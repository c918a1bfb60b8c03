"""What the lines of a project say about torch: its version, its build, the CUDA it was meant for.

People write it in a dozen ways: torch==1.10+cu113, an index …/whl/cu118, pytorch-cuda=11.8, cudatoolkit=11.3, a wheel's
address, a build string, the address of wheels compiled for one torch (PyG, mmcv, DGL). Each says one thing, with a rank:
0 is said outright, 1 by an index, 2 only between the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote

from packaging.version import InvalidVersion, Version

from builder.config.suggest import shown
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.values import CPU, CudaVersion, Location, Variant, VersionRequest
from builder.scan.items import CondaItem, IndexItem, NoteItem, PipItem
from builder.scan.match_spec import cuda_of_build, request_of

Field = Literal["python", "torch", "torchvision", "torchaudio", "torch_variant", "cuda"]


@frozen
class Hint:
    """One thing said about one field of Project."""

    field: Field
    value: VersionRequest | Variant | CudaVersion
    where: Location
    rank: int = 0


# Names on PyPI; "pytorch" there is an empty package that refuses to install.
_ON_PYPI: dict[str, Field] = {
    "torch": "torch",
    "pytorch": "torch",
    "torch-cpu": "torch",
    "torchvision": "torchvision",
    "torchaudio": "torchaudio",
    "python": "python",
}
_ON_CONDA: dict[str, Field] = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "torch": "torch",
    "torchvision": "torchvision",
    "torchvision-cpu": "torchvision",
    "torchaudio": "torchaudio",
    "python": "python",
}
_CPU_NAMES = frozenset({"cpuonly", "pytorch-cpu", "torchvision-cpu", "torch-cpu"})

_TORCH_INDEX = r"https?://(download(-r2)?\.pytorch\.org|[^/]+/(?:[^/]+/)*(pytorch-wheels|pytorch/whl))(/|$)"
_VARIANT_IN_URL = r"[/-](cpu|cu[0-9]{2,3}|rocm[0-9]+(?:\.[0-9]+)*|xpu)(?=/|$|\.html)"

# Wheels compiled for one torch and one CUDA, by the address of their list.
_COMPILED_FOR = (
    r"/torch-(?P<torch>[0-9]+\.[0-9]+(?:\.[0-9]+)?)(?:\+(?P<variant>cpu|cu[0-9]{2,3}))?\.html",  # PyG
    r"/(?P<variant>cpu|cu[0-9]{2,3})/torch(?P<torch>[0-9]+\.[0-9]+(?:\.[0-9]+)?)(?:/|$)",  # mmcv, detectron2
    r"/torch-(?P<torch>[0-9]+\.[0-9]+)(?:/(?P<variant>cu[0-9]{2,3}))?/repo\.html",  # DGL
)


# --- Python packages -----------------------------------------------------------------------------------------------


def takes_pip(item: PipItem) -> bool:
    """Whether this requirement is about torch, or is python itself, so does not stay among the others."""
    return item.name in _ON_PYPI or (item.name in ("cudatoolkit", "cpuonly", "pytorch-cuda") and item.url is None)


def of_pip(item: PipItem) -> Iterator[Hint | NoteItem | WsbError]:
    """What a requirement that takes_pip says."""
    field = _ON_PYPI.get(item.name)
    if field is None:
        yield NoteItem(text=f"{item.name} is a package of conda; it is read as in environment.yml", where=item.where)
        spec = CondaItem(name=item.name, text=item.text, where=item.where, version=item.versions)
        yield from of_conda(spec)
        return
    if item.name in ("pytorch", "python", "torch-cpu"):
        yield NoteItem(text=f"{item.name} cannot be installed by pip; it is read as {field}", where=item.where)
    if item.name in _CPU_NAMES:
        yield Hint(field="torch_variant", value=CPU, where=item.where)
    if item.url is not None:
        yield from _of_address(field, item)
        return
    try:
        request = _of_python(item.versions) if field == "python" else VersionRequest.parse(item.versions)
    except ValueError:
        yield WsbError("bad-value", f"{shown(item.versions)} is not a version of {field}", item.where)
        return
    yield Hint(field=field, value=request, where=item.where)
    yield from _of_local(request.local, item.where)


def _of_python(version: str) -> VersionRequest:
    """A request for Python. `python==3.10` means any 3.10, to everyone but the grammar."""
    short = re.fullmatch(r"==\s*([0-9]+\.[0-9]+)", version.strip())
    return VersionRequest.parse(short[1]) if short else request_of(version)


def _of_local(local: str | None, where: Location) -> Iterator[Hint]:
    if local is None:
        return
    try:
        yield Hint(field="torch_variant", value=Variant.parse(local), where=where)
    except ValueError:
        return  # +computecanada and others name no build


def _of_address(field: Field, item: PipItem) -> Iterator[Hint | NoteItem]:
    """A wheel's address holds version, build and Python: torch-1.7.0%2Bcpu-cp36-cp36m-linux_x86_64.whl."""
    file = unquote((item.url or "").partition("#")[0].rpartition("/")[2])
    parts = file.removesuffix(".whl").split("-")
    try:
        if not file.endswith(".whl") or len(parts) < 5:
            raise InvalidVersion
        request = VersionRequest.parse(f"=={Version(parts[1])}")
    except (InvalidVersion, ValueError):
        note = f"{field} from {shown(item.url or '')} is not taken; a released build is"
        yield NoteItem(text=note, where=item.where)
        yield Hint(field=field, value=VersionRequest.parse("latest"), where=item.where)
        return
    yield Hint(field=field, value=request, where=item.where)
    yield from _of_local(request.local, item.where)
    in_url = re.search(_VARIANT_IN_URL, item.url or "")
    if in_url and request.local is None:
        yield Hint(field="torch_variant", value=Variant(in_url[1]), where=item.where, rank=1)
    python = re.fullmatch(r"cp([0-9])([0-9]{1,2})", parts[-3])
    if python and parts[-2].startswith("cp"):
        request = VersionRequest.parse(f"{python[1]}.{python[2]}")
        yield Hint(field="python", value=request, where=item.where, rank=2)


def between_lines(item: PipItem) -> Iterator[Hint]:
    """What a package says that is not torch's but was compiled for one: torch-scatter==2.1.0+pt113cu117.

    The nvidia-* pins of a freeze say nothing more than the torch beside them, and often less.
    """
    pinned = re.search(r"==([0-9.]+)(?:\+(\w+))?", item.versions)
    if not pinned:
        return
    made_for = re.fullmatch(r"pt(?P<torch>[0-9]{2,3})(?P<variant>cpu|cu[0-9]{2,3})", pinned[2] or "")
    if made_for:
        digits = made_for["torch"]
        request = VersionRequest.parse(f"{digits[0]}.{digits[1:]}")
        yield Hint(field="torch", value=request, where=item.where, rank=2)
        yield Hint(field="torch_variant", value=Variant(made_for["variant"]), where=item.where, rank=2)


# --- indexes -------------------------------------------------------------------------------------------------------


def is_torch_index(url: str) -> bool:
    """Whether this is torch's own index or a mirror of it; wsb chooses that one itself."""
    return re.match(_TORCH_INDEX, url) is not None


def of_index(item: IndexItem) -> Iterator[Hint | NoteItem]:
    """What an index or a page of wheels says about the torch it was made for."""
    url = unquote(item.url)
    if is_torch_index(url):
        variant = re.search(_VARIANT_IN_URL, url)
        if variant:
            yield Hint(field="torch_variant", value=Variant(variant[1]), where=item.where, rank=1)
        if "/nightly" in url or "/test/" in url:
            yield NoteItem(text="nightly builds of torch cannot be reproduced; a release is taken", where=item.where)
        return
    for pattern in _COMPILED_FOR:
        found = re.search(pattern, url)
        if found:
            version = found["torch"].split(".")
            request = VersionRequest.parse(".".join(version[:2]))  # such lists are made once for each minor release
            yield Hint(field="torch", value=request, where=item.where, rank=2)
            if found["variant"]:
                yield Hint(field="torch_variant", value=Variant(found["variant"]), where=item.where, rank=2)
            return


# --- conda ---------------------------------------------------------------------------------------------------------

_SELECTORS = frozenset({"cudatoolkit", "pytorch-cuda", "cpuonly", "pytorch-mutex"})
_CUDA_BY_NAME = r"cuda([0-9]{2,3})"  # cuda90, cuda100 of torch 1.0
_CUDA_TOOLS = frozenset(
    {"cuda", "cuda-toolkit", "cuda-nvcc", "cuda-version", "cudatoolkit-dev", "cuda-runtime", "cuda-libraries"}
)


def takes_conda(item: CondaItem) -> bool:
    """Whether this package is torch, python, pip, or only selects a build of torch."""
    is_named = item.name in _ON_CONDA or item.name in _SELECTORS or item.name == "pip"
    return is_named or re.fullmatch(_CUDA_BY_NAME, item.name) is not None


def of_conda(item: CondaItem) -> Iterator[Hint | WsbError]:
    """What a conda package says; also those that stay among the others (cuda-nvcc=11.8)."""
    field = _ON_CONDA.get(item.name)
    if field is not None:
        try:
            yield Hint(
                field=field, value=_of_python(item.version) if field == "python" else request_of(item.version), where=item.where
            )
        except ValueError:
            yield WsbError("bad-value", f"{shown(item.version)} is not a version of {item.name}", item.where)
    if item.name in _CPU_NAMES or (item.name == "pytorch-mutex" and item.build == "cpu"):
        yield Hint(field="torch_variant", value=CPU, where=item.where)
    if field in ("torch", "torchvision", "torchaudio"):
        yield from _of_build(item, 0 if field == "torch" else 1)
    yield from _cuda_of(item)


def _of_build(item: CondaItem, rank: int) -> Iterator[Hint]:
    told = cuda_of_build(item.build)
    if told == "cpu":
        yield Hint(field="torch_variant", value=CPU, where=item.where, rank=rank)
    elif told:
        yield Hint(field="cuda", value=CudaVersion.parse(told), where=item.where, rank=rank)


def _cuda_of(item: CondaItem) -> Iterator[Hint]:
    by_name = re.fullmatch(_CUDA_BY_NAME, item.name)
    if by_name:
        yield Hint(field="cuda", value=CudaVersion(int(by_name[1][:-1]), int(by_name[1][-1])), where=item.where)
        return
    label = re.search(r"cuda-([0-9]{1,2}\.[0-9])", item.channel)
    version = re.fullmatch(r"[=~]{0,2}([0-9]{1,2}\.[0-9]{1,2})([.*]\S*)?", item.version)
    if item.name in ("cudatoolkit", "pytorch-cuda") and version:
        yield Hint(field="cuda", value=CudaVersion.parse(version[1]), where=item.where)
    elif item.name in _CUDA_TOOLS and version:
        yield Hint(field="cuda", value=CudaVersion.parse(version[1]), where=item.where, rank=1)
    elif label:
        yield Hint(field="cuda", value=CudaVersion.parse(label[1]), where=item.where, rank=1)
