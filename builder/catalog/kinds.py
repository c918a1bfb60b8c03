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
)
