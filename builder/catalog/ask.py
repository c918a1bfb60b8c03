"""One question in words → the answer's document. What `wsb catalog` offers, in one place."""

from __future__ import annotations

from builder.catalog import answers, answers_hardware, answers_images, answers_packages, listings
from builder.catalog.answers import Answer
from builder.catalog.catalog import Catalog
from builder.catalog.rows import LINUX_X86_64
from builder.catalog.words import understood
from builder.model.frozen import frozen
from builder.model.host import OperatingSystem


@frozen
class Question:
    """kind: one of KINDS, or another word for one. words: what follows it. The others: options that narrow the question."""

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
    """The answer's document; without a name, all that there is. Raises WsbError for what is not in the tables."""
    question = understood(catalog, question)
    text = " ".join(question.words)
    narrowed = question.cuda or question.variant or question.ubuntu or question.torch
    if not text and question.kind == "torch":
        return answers.releases(catalog)
    if not text and not (question.kind == "image" and narrowed) and not (question.kind == "companions" and question.torch):
        return listings.listing(catalog, question.kind)
    match question.kind:
        case "torch":
            return answers.torch(catalog, text, platform=question.platform, python=question.python, variant=question.variant)
        case "companions":
            return answers.companions(catalog, text or question.torch or "")
        case "installer":
            return listings.installer(catalog, text)
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
            return answers_images.image(catalog, text, torch=question.torch, cuda=wanted, ubuntu=question.ubuntu)
        case "import":
            return answers_packages.import_name(catalog, text)
        case "package":
            return answers_packages.package(
                catalog, text, torch=question.torch, variant=question.variant, python=question.python
            )
        case "conda":
            return answers_packages.conda(catalog, question.words)
        case _:
            raise AssertionError(question.kind)
