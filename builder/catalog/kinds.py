"""What can be asked of the tables; apart, so that a command line can name it without loading any."""

from __future__ import annotations

KINDS = (
    "torch",
    "companions",
    "torchvision",
    "torchaudio",
    "python",
    "driver",
    "cuda",
    "gpu",
    "image",
    "package",
    "import",
    "conda",
    "installer",
)

# Other words for them; their plurals are understood too.
MEANT = {
    "pytorch": "torch",
    "pypi": "torch",
    "pypi-default": "torch",
    "default": "torch",
    "wheel": "torch",
    "variant": "torch",
    "build": "torch",
    "companion": "companions",
    "card": "gpu",
    "compute-capability": "gpu",
    "base": "image",
    "tag": "image",
    "ecosystem": "package",
    "pkg": "package",
    "module": "import",
    "distribution": "import",
    "conda-env": "conda",
    "environment": "conda",
    "dependencies": "conda",
    "miniconda": "installer",
    "miniforge": "installer",
    "micromamba": "installer",
    "toolkit": "cuda",
}


def kind_of(word: str) -> str | None:
    """The kind a word means; None when it means none."""
    spoken = word.lower().replace("_", "-")
    for one in (spoken, spoken.removesuffix("s")):
        if one in KINDS:
            return one
        if one in MEANT:
            return MEANT[one]
    return None
