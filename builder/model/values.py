"""Small values with an order and a spelling of their own.

Versions of drivers, CUDA and GPUs are compared as numbers here and nowhere as strings. Python and torch versions are
`packaging` versions; the requests people write for them are `VersionRequest`.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import total_ordering
from typing import Generic, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from builder.model.frozen import frozen

T = TypeVar("T")


class Manager(str, Enum):
    """What makes the environment inside the image."""

    MINICONDA = "miniconda"
    MINIFORGE = "miniforge"
    MICROMAMBA = "micromamba"
    VENV = "venv"

    @property
    def is_conda(self) -> bool:
        """Whether the environment is made of conda packages."""
        return self is not Manager.VENV


class Flavour(str, Enum):
    """How much CUDA the base image itself carries."""

    PLAIN = "plain"
    RUNTIME = "runtime"
    DEVEL = "devel"


class Passthrough(str, Enum):
    """How the GPU is handed to a container."""

    GPUS = "gpus"
    CDI = "cdi"
    RUNTIME = "runtime"
    ROCM = "rocm"
    XPU = "xpu"
    NONE = "none"


class Ide(str, Enum):
    """What people write and run their code with; wsb writes files for it and installs what it needs."""

    VSCODE = "vscode"
    PYCHARM = "pycharm"
    JUPYTER = "jupyter"


@frozen(order=True)
class Location:
    """A place in a text file. line and column count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


@frozen(kw_only=False)
class Located(Generic[T]):
    """A value and where it was written."""

    value: T
    where: Location


@frozen(kw_only=False)
class Unknown:
    """A fact that could not be had, and why."""

    because: str

    def __str__(self) -> str:
        return f"unknown, because {self.because}"


@total_ordering
@frozen(kw_only=False)
class DottedVersion:
    """A version made of numbers and dots, such as a driver's 550.54.15; compared number by number, 12 == 12.0."""

    parts: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> DottedVersion:
        """The version spelled in text. Raises ValueError when it is not numbers and dots."""
        if not re.fullmatch(r"\d+(\.\d+)*", text.strip(), re.ASCII):
            raise ValueError(f"{text!r} is not a version of numbers and dots")
        return cls(tuple(int(part) for part in text.strip().split(".")))

    def _key(self) -> tuple[int, ...]:
        parts = self.parts
        while parts and parts[-1] == 0:
            parts = parts[:-1]
        return parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DottedVersion) and self._key() == other._key()

    def __lt__(self, other: DottedVersion) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@frozen(kw_only=False)
class DriverVersion(DottedVersion):
    """An NVIDIA driver as NVML reports it, such as 550.54.15 (not the CUDA version nvidia-smi shows beside it)."""

    text: str = ""

    @classmethod
    def parse(cls, text: str) -> DriverVersion:
        parts = DottedVersion.parse(text).parts
        return cls(parts, text.strip())

    def __str__(self) -> str:
        return self.text or ".".join(map(str, self.parts))


@frozen(kw_only=False, order=True)
class CudaVersion:
    """A CUDA toolkit version, major and minor."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> CudaVersion:
        """From "12.6" or "12.6.3". Raises ValueError."""
        match = re.match(r"(\d+)\.(\d+)(\.\d+)*$", text.strip(), re.ASCII)
        if not match:
            raise ValueError(f"{text!r} is not a CUDA version such as 12.6")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@frozen(kw_only=False, order=True)
class ComputeCapability:
    """What machine code a GPU runs, such as 8.6 for an RTX 3090."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> ComputeCapability:
        """From "8.6". Raises ValueError."""
        match = re.fullmatch(r"(\d+)\.(\d)", text.strip(), re.ASCII)
        if not match:
            raise ValueError(f"{text!r} is not a compute capability such as 8.6")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def from_sm(cls, number: int) -> ComputeCapability:
        """From the number in sm_86 or sm_120."""
        return cls(number // 10, number % 10)

    @property
    def sm(self) -> str:
        """As compilers spell it: sm_86."""
        return f"sm_{self.major}{self.minor}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@frozen(kw_only=False, order=True)
class Variant:
    """Which accelerator a torch build is for, spelled as in its local version: cpu, cu126, rocm6.4, xpu."""

    name: str

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Raises ValueError for anything that is not a variant's name."""
        if not re.fullmatch(r"cpu|cu\d{2,3}|rocm\d+(\.\d+)*|xpu", text, re.ASCII):
            raise ValueError(f"{text!r} is not a build variant such as cpu, cu126 or rocm6.4")
        return cls(text)

    @classmethod
    def for_cuda(cls, cuda: CudaVersion) -> Variant:
        return cls(f"cu{cuda.major}{cuda.minor}")

    @property
    def cuda(self) -> CudaVersion | None:
        """The CUDA it was built with; None for cpu, rocm, xpu."""
        if not re.fullmatch(r"cu\d{2,3}", self.name, re.ASCII):
            return None
        return CudaVersion(int(self.name[2:-1]), int(self.name[-1]))

    @property
    def is_rocm(self) -> bool:
        return self.name.startswith("rocm")

    def __str__(self) -> str:
        return self.name


CPU = Variant("cpu")


@frozen(kw_only=False)
class VersionRequest:
    """A version as people ask for it.

    text: as written. "2.6" means the newest 2.6.x, "2.6.0" exactly that, ">=2.4,<2.7" a range, "" or "latest" any.
    local: the part after "+", such as cu126 in "2.6.0+cu126", or None.
    """

    text: str
    specifiers: SpecifierSet
    local: str | None = None

    @classmethod
    def parse(cls, text: str) -> VersionRequest:
        """Raises ValueError with what would have been understood."""
        written = text.strip()
        if written in ("", "latest", "*"):
            return cls("latest", SpecifierSet(""))
        bare, _, local = written.partition("+")
        try:
            if re.fullmatch(r"\d+(\.\d+)?(\.\*)?", bare, re.ASCII):
                return cls(written, SpecifierSet(f"=={bare.removesuffix('.*')}.*"), local or None)
            if bare[:1].isdigit():
                return cls(written, SpecifierSet(f"=={Version(bare)}"), local or None)
            if bare.startswith("=") and not bare.startswith("=="):  # conda's single equals: a prefix match
                prefix = bare[1:].removesuffix(".*").removesuffix("*").removesuffix(".")
                return cls(written, SpecifierSet(f"=={prefix}.*"), local or None)
            specifiers = SpecifierSet(written if not local else bare)
        except (InvalidSpecifier, InvalidVersion):
            raise ValueError(f'{text!r} is not a version ("2.6", "2.6.0"), a range (">=2.4,<2.7") or "latest"') from None
        return cls(written, specifiers, local or None)

    @property
    def is_any(self) -> bool:
        return not self.specifiers and self.local is None

    @property
    def is_pinned(self) -> bool:
        """Whether exactly one release can satisfy it."""
        return any(s.operator in ("==", "===") and not s.version.endswith(".*") for s in self.specifiers)

    def admits(self, version: Version) -> bool:
        """Whether this release satisfies the request; pre-releases only when the request names one."""
        return self.specifiers.contains(version.public)

    def __str__(self) -> str:
        return self.text
