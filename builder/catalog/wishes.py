"""A wish for an image in words: "nvidia/cuda devel+cudnn 11.8 ubuntu22.04", or a whole tag."""

from __future__ import annotations

import re
from dataclasses import replace

from builder.errors import WsbError
from builder.model.frozen import frozen

_FLAVOURS = ("base", "runtime", "devel", "plain")
_SAYS_NOTHING = ("image", "docker", "tag", "with", "for", "the", "and", "official", "cuda")


@frozen
class Wish:
    """repository: nvidia/cuda, pytorch/pytorch or "" for a distribution's own. cuda: as written, such as 11.8 or 11.7.0.

    image: a distribution's image that is named itself. version: a bare number, whose meaning the repository tells.
    """

    repository: str = ""
    flavour: str | None = None
    with_cudnn: bool = False
    cuda: str | None = None
    torch: str | None = None
    ubuntu: str | None = None
    image: str | None = None
    version: str | None = None


def wish_of(text: str) -> Wish:
    """Raises WsbError bad-value for a word that means nothing here: an answer to half a question would be a wrong one."""
    wish = Wish()
    for word in re.split(r"[\s,+]+", text.strip()):
        if not word:
            continue
        name, _, tag = word.partition(":")
        if repository := _repository(name):
            wish = replace(wish, repository=repository)
            parts = [part for part in tag.split("-") if part]
        elif re.match(
            r"(debian|ubuntu|python|alpine|centos|rockylinux|almalinux|fedora|[\w.-]+/[\w./-]+):?[\w.-]*$", word
        ) and (tag or "/" in word or name == "alpine"):
            wish = replace(wish, image=word)
            parts = []
        else:
            parts = word.split("-")
        for part in parts:
            wish = _with(wish, part.lower(), text)
    return _settled(wish)


def _repository(name: str) -> str:
    bare = re.sub(r"^(docker\.io/|registry-1\.docker\.io/)", "", name.lower())
    if bare in ("nvidia/cuda", "nvidia", "cuda", "nvidia-cuda"):
        return "nvidia/cuda"
    return "pytorch/pytorch" if bare in ("pytorch/pytorch", "pytorch", "pytorch-pytorch") else ""


def _with(wish: Wish, word: str, text: str) -> Wish:
    if word in _FLAVOURS:
        return replace(wish, flavour=word)
    if match := re.fullmatch(r"cudnn[\d.]*", word):
        return replace(wish, with_cudnn=True)
    if match := re.fullmatch(r"cu(\d{1,2})(\d)", word):
        return replace(wish, cuda=f"{match[1]}.{match[2]}")
    if match := re.fullmatch(r"cuda=*(\d+\.\d+(\.\d+)?)", word):
        return replace(wish, cuda=match[1])
    if match := re.fullmatch(r"(?:py)?torch=*(\d+(\.\d+)*)", word):
        return replace(wish, torch=match[1])
    if match := re.fullmatch(r"ubuntu=*(\d\d\.?\d\d)", word):
        number = match[1] if "." in match[1] else f"{match[1][:2]}.{match[1][2:]}"
        return replace(wish, ubuntu=number)
    if re.fullmatch(r"\d+(\.\d+)*", word):
        return replace(wish, version=word)
    if word in _SAYS_NOTHING:
        return wish
    hint = (
        "such as: plain; nvidia/cuda devel 12.6; nvidia/cuda devel+cudnn ubuntu22.04; pytorch/pytorch runtime; debian:bookworm"
    )
    raise WsbError("bad-value", f"{word!r} in {text!r} says nothing about an image", hints=(hint,))


def _settled(wish: Wish) -> Wish:
    """A bare number is torch's for pytorch/pytorch, and CUDA's otherwise."""
    if wish.version is None:
        return wish
    if wish.repository == "pytorch/pytorch":
        return replace(wish, torch=wish.torch or wish.version)
    return replace(wish, cuda=wish.cuda or wish.version)
