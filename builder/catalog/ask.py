"""One question in words → the answer's document. What `wsb catalog` offers, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from builder.catalog import answers, answers_hardware, answers_packages
from builder.catalog.answers import Answer
from builder.catalog.catalog import Catalog
from builder.catalog.kinds import KINDS
from builder.catalog.rows import LINUX_X86_64
from builder.errors import WsbError
from builder.model.host import OperatingSystem


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """kind: one of KINDS. words: what follows it on the command line. The others: options that narrow the question."""

    kind: str
    words: tuple[str, ...] = ()
    torch: str | None = None
    torchvision: str | None = None
    torchaudio: str | None = None
    python: str | None = None
    platform: str | None = None
    variant: str | None = None
    cuda: str | None = None
    ubuntu: str | None = None
    os: OperatingSystem = "linux"


def ask(catalog: Catalog, question: Question) -> Answer:
    """The answer's document. Raises WsbError for what is not in the tables, naming what is near to it."""
    text = " ".join(question.words)
    if question.kind != "torch" and question.kind != "image" and not text:
        raise WsbError("bad-value", f"`wsb catalog {question.kind}` needs a name", hints=(_EXAMPLES[question.kind],))
    match question.kind:
        case "torch":
            if not text:
                return answers.releases(catalog)
            return answers.torch(catalog, text, platform=question.platform, python=question.python)
        case "companions":
            return answers.companions(catalog, text)
        case "torchvision" | "torchaudio":
            return answers.companion(catalog, question.kind, text)
        case "python":
            return answers.python(
                catalog,
                text,
                torch=question.torch,
                platform=question.platform or LINUX_X86_64,
                torchvision=question.torchvision,
                torchaudio=question.torchaudio,
            )
        case "driver":
            return answers_hardware.driver(catalog, text, os=question.os, platform=question.platform or LINUX_X86_64)
        case "cuda":
            return answers_hardware.cuda(catalog, text)
        case "gpu":
            return answers_hardware.gpu(catalog, text, platform=question.platform or LINUX_X86_64)
        case "image":
            wanted = question.cuda or question.variant
            return answers_packages.image(catalog, text or "plain", torch=question.torch, cuda=wanted, ubuntu=question.ubuntu)
        case "import":
            return answers_packages.import_name(catalog, text)
        case "package":
            return answers_packages.package(
                catalog, text, torch=question.torch, variant=question.variant, python=question.python
            )
        case "conda":
            return answers_packages.conda(catalog, question.words)
        case _:
            raise WsbError("bad-value", f"there is no table of {question.kind!r}", hints=(f"known are {', '.join(KINDS)}",))


_EXAMPLES = {
    "companions": "such as `wsb catalog companions 2.6`",
    "torchvision": "such as `wsb catalog torchvision 0.21.0`",
    "torchaudio": "such as `wsb catalog torchaudio 2.6.0`",
    "python": "such as `wsb catalog python 3.13`",
    "driver": "such as `wsb catalog driver 550.54.15`",
    "cuda": "such as `wsb catalog cuda 12.6`",
    "gpu": 'such as `wsb catalog gpu "RTX 3090"`',
    "import": "such as `wsb catalog import cv2`",
    "package": "such as `wsb catalog package xformers --torch 2.6`",
    "conda": "such as `wsb catalog conda pytorch=1.7.1 cudatoolkit=11.0`",
}
