"""Shared libraries that Python packages look for at run time: which words name one, and which are not the image's to bring."""

from __future__ import annotations

import re

from builder.catalog.catalog import Catalog

_LIBRARY = re.compile(r"(?P<stem>lib[A-Za-z0-9_+-]+(?:[.-]\d[\d.]*?)?\.so)(\.[\d.]+)?")

# Of the GPU's driver and of CUDA: no package of the image may bring the first, torch's wheels bring the second.
_NOT_OURS = re.compile(
    r"lib(cuda|nvidia-[\w-]+|cudart|cublas\w*|cudnn\w*|cufft|curand|cusolver\w*|cusparse\w*|nvrtc\w*|nccl|nvJitLink)\.so"
)


def is_library(word: str) -> bool:
    """Whether this is the name of a shared library, such as libGL.so.1."""
    return _LIBRARY.fullmatch(word) is not None


def apt_package_of(catalog: Catalog, library: str) -> str | None:
    """The Debian package that holds a library; None when it is not known, or is the driver's or CUDA's."""
    match = _LIBRARY.fullmatch(library)
    if match is None or _NOT_OURS.match(library):
        return None
    return catalog.library_package(match["stem"])
