"""The values that choose python, torch and accelerator: how people write them → the requests of the model."""

from __future__ import annotations

import re

from builder.config.kinds import RefusedError
from builder.config.suggest import shown
from builder.model.spec import AcceleratorRequest, TorchRequest
from builder.model.values import CudaVersion, Variant, VersionRequest

# What an editor can check while one types. JSON Schema reads an unquoted 2.10 as a number, so numbers are admitted too;
# we read the text.
_RELEASE = r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}"
_RANGE_PART = rf"(==|>=|<=|<|>|!=) ?{_RELEASE}"
_RANGE = rf"{_RANGE_PART}( ?, ?{_RANGE_PART}){{0,5}}"
_VARIANT = r"(cpu|cu[0-9]{2,3}|rocm[0-9]{1,2}(\.[0-9]{1,2}){0,2}|xpu)"
_NUMBER = {"type": "number", "minimum": 0.1, "maximum": 99}

PYTHON_SCHEMA = {"anyOf": [{"type": "string", "pattern": f"^(latest|{_RELEASE}|{_RANGE})$"}, _NUMBER]}
TORCH_SCHEMA = {"anyOf": [{"type": "string", "pattern": rf"^(latest|none|{_RELEASE}(\+{_VARIANT})?|{_RANGE})$"}, _NUMBER]}
ACCELERATOR_SCHEMA = {
    "anyOf": [
        {"enum": ["auto", "cpu", "cuda", "rocm", "xpu"]},
        {"type": "string", "pattern": r"^(cu[0-9]{2,3}|[0-9]{1,2}\.[0-9]|rocm[0-9]{1,2}(\.[0-9]{1,2}){0,2})$"},
        {"type": "number", "minimum": 7, "maximum": 99},
    ]
}

_MEANT = {
    "gpu": "cuda",
    "nvidia": "cuda",
    "amd": "rocm",
    "hip": "rocm",
    "intel": "xpu",
    "none": "cpu",
    "no": "cpu",
    "false": "cpu",
    "mps": "cpu",
}


def parse_python(text: str) -> VersionRequest:
    """Raises RefusedError."""
    bare = re.fullmatch(r"(?:python|py|cpython|v)\s*[=-]*\s*(\d+(?:\.\d+)*)", text.strip(), re.IGNORECASE)
    request = _request(text, "Python", f'write `python: "{bare[1]}"`' if bare else _without_x(text, "python"))
    if request.local is not None:
        raise RefusedError(f"{shown(text)} is not a version of Python", f'write `python: "{text.partition("+")[0]}"`')
    return request


def parse_torch(text: str) -> TorchRequest:
    """Raises RefusedError. "none" asks for no torch at all."""
    written = text.strip()
    if written == "none":
        return TorchRequest(version=None)
    if written.lower() in ("no", "false", "off", "null", "~"):
        raise RefusedError(f"{shown(text)} is not a version of torch", "write `torch: none` for a workspace without torch")
    if written.lower() in ("stable", "newest", "any"):
        raise RefusedError(f"{shown(text)} is not a version of torch", "write `torch: latest`")
    if written.lower() in ("cpu", "gpu", "cuda"):
        kind = _MEANT.get(written.lower(), written.lower())
        raise RefusedError(f"{shown(text)} is not a version of torch", f"write `accelerator: {kind}`, and `torch: latest`")
    bare = re.fullmatch(r"(?:torch|pytorch|v)\s*[=-]*\s*(\d+(?:\.\d+)*(?:\+\w+)?)", written, re.IGNORECASE)
    request = _request(text, "torch", f'write `torch: "{bare[1]}"`' if bare else _without_x(text, "torch"))
    if request.local is None:
        return TorchRequest(version=request)
    try:
        return TorchRequest(version=request, variant=Variant.parse(request.local))
    except ValueError as error:
        raise RefusedError(str(error), 'write `torch: "2.6.0+cu126"`, or leave the part after + to accelerator') from None


def parse_accelerator(text: str) -> AcceleratorRequest:
    """Raises RefusedError. "12.6" and cu126 name one CUDA build, rocm6.4 one of ROCm."""
    written = text.strip()
    match written:
        case "auto" | "cpu" | "cuda" | "rocm" | "xpu":
            return AcceleratorRequest(kind=written)
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", written, re.ASCII):
        return AcceleratorRequest(kind="cuda", variant=_variant(str(Variant.for_cuda(CudaVersion.parse(written))), text))
    if re.fullmatch(r"(cu|rocm)\d[\d.]*", written, re.ASCII) and "." not in written.removeprefix("rocm"):
        return AcceleratorRequest(kind="cuda" if written.startswith("cu") else "rocm", variant=_variant(written, text))
    if written.startswith("rocm"):
        return AcceleratorRequest(kind="rocm", variant=_variant(written, text))
    raise RefusedError(f"{shown(text)} is not an accelerator", _meant_accelerator(written))


def _meant_accelerator(written: str) -> str:
    cuda = re.fullmatch(r"(?:cuda|cu)[ =:_-]*(\d+\.\d)(?:\.\d+)?", written, re.IGNORECASE | re.ASCII)
    if cuda:
        return f'write `accelerator: "{cuda[1]}"`'
    if re.fullmatch(r"\d+", written, re.ASCII):
        minor = written[2:3] or {"11": "8", "12": "6"}.get(written, "0")
        return f'write major and minor, such as `accelerator: "{written[:2]}.{minor}"`'
    word = written.lower() if written.lower() in ("auto", "cpu", "cuda", "rocm", "xpu") else _MEANT.get(written.lower())
    if word:
        return f"did you mean `{word}`?"
    return 'write `auto`, `cpu`, `cuda`, `rocm`, `xpu`, or one build: `"12.6"`, `cu126`, `rocm6.4`'


def _variant(name: str, text: str) -> Variant:
    try:
        return Variant.parse(name)
    except ValueError:
        raise RefusedError(
            f"{shown(text)} is not a version of CUDA or ROCm", 'write it like `"12.6"`, `cu126` or `rocm6.4`'
        ) from None


def _request(text: str, of: str, hint: str) -> VersionRequest:
    try:
        if not text.strip() or not text.isascii() or len(text) > 200 or "\n" in text or text.strip().endswith("+"):
            raise ValueError
        return VersionRequest.parse(text)
    except ValueError:
        hint = hint or 'write `"2.6"` for the newest 2.6.x, `"2.6.0"` for exactly that, `">=2.4,<2.7"` for a range, or `latest`'
        if of == "Python":
            hint = hint.replace("2.6", "3.11").replace("2.4,<2.7", "3.10,<3.13")
        raise RefusedError(f"{shown(text)} is not a version of {of}", hint) from None


def _without_x(text: str, key: str) -> str:
    """The hint for 2.6.x; empty for other texts."""
    found = re.fullmatch(r"(\d+(?:\.\d+)*)\.[xX]", text.strip(), re.ASCII)
    return f'write `{key}: "{found[1]}"`' if found else ""
