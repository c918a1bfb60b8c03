"""What people type after `wsb catalog`, put where it belongs: `torch 2.6 cu126 py3.11 linux/arm64` is a name and options."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from builder.catalog.catalog import Catalog
from builder.catalog.kinds import KINDS, MEANT, kind_of
from builder.errors import WsbError

if TYPE_CHECKING:
    from builder.catalog.ask import Question

_PLATFORMS = (
    (r"(manylinux\w*_|linux[-_/]?)?(x86[-_]64|amd64)|linux", "linux_x86_64"),
    (r"(manylinux\w*_|linux[-_/]?)?(aarch64|arm64)", "linux_aarch64"),
    (r"win(dows)?([-_/]?(amd64|x86[-_]64|64))?|win32", "win_amd64"),
    (r"(mac(os)?(x)?|osx|darwin)[\w.]*?([-_/]?arm64)?", "macos_arm64"),
)
_TORCH = re.compile(r"(?:py)?torch(?:={1,2}|@|-)(\d[\w.+*]*)", re.IGNORECASE)
_VARIANT = re.compile(r"cu\d{2,3}|cpu|rocm\d+(\.\d+)*|xpu", re.IGNORECASE)
_PYTHON = re.compile(r"(?:cp|py|python(?:==?)?)-?(\d)\.?(\d{1,2})", re.IGNORECASE)
_UBUNTU = re.compile(r"ubuntu[-=]?(\d\d\.\d\d)", re.IGNORECASE)
_CUDA = re.compile(r"cuda[-=]{0,2}(\d+\.\d+(?:\.\d+)?)", re.IGNORECASE)
# Kinds whose words are a name and options; the others keep theirs as they are.
_WITH_OPTIONS = ("torch", "companions", "torchvision", "torchaudio", "python", "driver", "package", "gpu")


def understood(catalog: Catalog, question: Question) -> Question:
    """The same question with its kind known and its words sorted. Raises WsbError bad-value for a kind nobody knows."""
    question = _with_kind(catalog, question)
    question = replace(
        question,
        platform=wheel_platform(question.platform),
        torch=_bare_version(question.torch),
        python=_python(question.python),
    )
    if question.kind not in _WITH_OPTIONS:
        return question
    kept: list[str] = []
    words = [part for word in question.words for part in word.split()]
    for word in words:
        question, taken = _option(question, word)
        if not taken:
            kept.append(word)
    return _with_bare_numbers(replace(question, words=tuple(kept)))


def wheel_platform(text: str | None) -> str | None:
    """linux/amd64, windows, macos_x86_64 and the like as file names of wheels spell them; others as they stand."""
    if text is None:
        return None
    spoken = text.strip().lower()
    if re.fullmatch(r"(mac|osx|darwin|intel)\w*?[\d.]*[-_/ ]?(x86[-_]64|amd64|intel)", spoken):
        return "macos_x86_64"
    for pattern, platform in _PLATFORMS:
        if re.fullmatch(pattern, spoken):
            return platform
    return text


def _with_kind(catalog: Catalog, question: Question) -> Question:
    known = kind_of(question.kind)
    if known is not None:
        is_manager = known == "installer" and question.kind.lower().removesuffix("s") != "installer"
        words = (question.kind, *question.words) if is_manager else question.words
        wants_default = question.kind.lower().startswith(("pypi", "default")) and question.platform is None
        return replace(question, kind=known, words=words, platform="linux_x86_64" if wants_default else question.platform)
    spec = re.fullmatch(r"((?:py)?torch|torchvision|torchaudio)([=<>~!].+)", question.kind)
    if spec:
        kind = "torch" if spec[1] == "pytorch" else spec[1]
        return replace(question, kind=kind, words=(spec[2].lstrip("="), *question.words))
    text = " ".join((question.kind, *question.words))
    if catalog.package(question.kind) is not None:
        return replace(question, kind="package", words=(question.kind, *question.words))
    if catalog.gpu(text) is not None:
        return replace(question, kind="gpu", words=(text,))
    if catalog.import_name(question.kind) is not None:
        return replace(question, kind="import", words=(question.kind,))
    near = get_close_matches(question.kind, [*KINDS, *MEANT], n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(KINDS)}"
    raise WsbError("bad-value", f"there is no table of {question.kind!r}", hints=(hint,))


def _option(question: Question, word: str) -> tuple[Question, bool]:
    """The question with this word as an option, and whether it was one."""
    bare = word.strip(",;")
    if match := _TORCH.fullmatch(bare):
        return replace(question, torch=_bare_version(match[1])), True
    if question.kind == "gpu":
        return question, False
    if _VARIANT.fullmatch(bare):
        return replace(question, variant=question.variant or bare.lower()), True
    if question.kind == "driver" and bare.lower() in ("wsl", "wsl2", "windows"):
        return replace(question, os="windows"), True
    if question.kind != "python" and (match := _PYTHON.fullmatch(bare)):
        return replace(question, python=question.python or f"{match[1]}.{match[2]}"), True
    platform = wheel_platform(bare)
    if platform != bare or bare in ("linux_x86_64", "linux_aarch64", "win_amd64", "macos_arm64", "macos_x86_64"):
        return replace(question, platform=question.platform or platform), True
    return question, False


def _with_bare_numbers(question: Question) -> Question:
    """Names of one kind told twice: "companions torch 2.6", "python 3.9 torch 1.7.0", "xformers torch 2.6"."""
    words = list(question.words)
    for at, word in enumerate(words[:-1]):
        if word.lower() in ("torch", "pytorch") and re.fullmatch(r"\d[\w.+]*", words[at + 1]):
            number = words[at + 1]
            rest = tuple(words[:at] + words[at + 2 :])
            if question.kind in ("torch", "companions"):
                return replace(question, words=(number,))
            return replace(question, words=rest, torch=question.torch or _bare_version(number))
    if question.kind in ("torch", "companions") and question.torch and not words:
        return replace(question, words=(question.torch,))
    if question.kind == "python" and words:
        return replace(question, words=(_python(words[0]) or words[0], *words[1:]))
    if question.kind == "driver" and words:
        return replace(question, words=(re.sub(r"(?i)^r(?=\d)", "", words[0]), *words[1:]))
    return question


def _bare_version(text: str | None) -> str | None:
    """A version without what surrounds it: "==2.1.2+cu118" is 2.1.2."""
    if text is None:
        return None
    return re.sub(r"^(torch|pytorch)?\s*={0,2}\s*(?=\d)", "", text.strip()).partition("+")[0]


def _python(text: str | None) -> str | None:
    """cp39, py3.9, 3.9.18: all of them Python 3.9."""
    if text is None:
        return None
    if match := _PYTHON.fullmatch(text.strip()):
        return f"{match[1]}.{match[2]}"
    match = re.fullmatch(r"(\d\.\d+)(\.\d+|\.\*)?", text.strip())
    return match[1] if match else text
