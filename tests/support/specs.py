"""Specs, projects and hosts in one line each, for tests of what is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from builder.model.host import Gpu, Host
from builder.model.project import Project
from builder.model.spec import (
    AcceleratorRequest,
    BaseRequest,
    PackagesSpec,
    SourcesSpec,
    Spec,
    TorchRequest,
)
from builder.model.values import (
    ComputeCapability,
    CudaVersion,
    DriverVersion,
    Located,
    Location,
    Manager,
    Unknown,
    Variant,
    VersionRequest,
)

WSB = Location(file="wsb.yaml", line=2, column=8)
REQ = Location(file="requirements.txt", line=1, column=1)


def at(value: Any, where: Location = WSB) -> Located[Any]:
    return Located(value, where)


def spec(
    *,
    torch: str | None = None,
    python: str | None = None,
    accelerator: str | None = None,
    manager: str | None = None,
    base: str | None = None,
    bootstrap: str | None = None,
    pip: Sequence[str] = (),
    conda: Sequence[str] = (),
    apt: Sequence[str] = (),
    channels: Sequence[str] = (),
    sources: Mapping[str, Any] | None = None,
) -> Spec:
    """As wsb.yaml would be read: torch "none", "2.6", "2.6.0+cu126"; accelerator "auto", "cuda", "12.6", "cu126"."""
    request = None
    if torch is not None:
        version = None if torch == "none" else VersionRequest.parse(torch)
        local = version.local if version else None
        request = at(TorchRequest(version=version, variant=Variant.parse(local) if local else None))
    asked_base = None
    if base is not None:
        asked_base = at(BaseRequest(kind="image", value=base))
    if bootstrap is not None:
        asked_base = at(BaseRequest(kind="bootstrap", value=bootstrap))
    return Spec(
        where=Location(file="wsb.yaml"),
        name=at("demo"),
        torch=request,
        python=at(VersionRequest.parse(python)) if python else None,
        accelerator=at(_accelerator(accelerator)) if accelerator else None,
        manager=at(Manager(manager)) if manager else None,
        base=asked_base,
        packages=PackagesSpec(
            pip=tuple(at(one) for one in pip), conda=tuple(at(one) for one in conda), apt=tuple(at(one) for one in apt)
        ),
        channels=tuple(at(one) for one in channels),
        sources=SourcesSpec(**{key: at(value) for key, value in (sources or {}).items()}),
    )


def _accelerator(text: str) -> AcceleratorRequest:
    if text in ("auto", "cpu", "cuda", "rocm", "xpu"):
        return AcceleratorRequest(kind=text)  # type: ignore[arg-type]
    variant = Variant.for_cuda(CudaVersion.parse(text)) if text[0].isdigit() else Variant.parse(text)
    kind = "cuda" if variant.cuda else "rocm" if variant.is_rocm else "cpu"
    return AcceleratorRequest(kind=kind, variant=variant)  # type: ignore[arg-type]


def project(
    *,
    torch: str | None = None,
    torchvision: str | None = None,
    torchaudio: str | None = None,
    python: str | None = None,
    variant: str | None = None,
    cuda: str | None = None,
    pip: Sequence[str] = (),
    conda: Sequence[str] = (),
    channels: Sequence[str] = (),
) -> Project:
    def asks(text: str | None) -> Located[VersionRequest] | None:
        return Located(VersionRequest.parse(text), REQ) if text is not None else None

    return Project(
        python=asks(python),
        torch=asks(torch),
        torchvision=asks(torchvision),
        torchaudio=asks(torchaudio),
        torch_variant=Located(Variant.parse(variant), REQ) if variant else None,
        cuda=Located(CudaVersion.parse(cuda), REQ) if cuda else None,
        pip=tuple(Located(one, REQ) for one in pip),
        conda=tuple(Located(one, REQ) for one in conda),
        channels=tuple(Located(one, REQ) for one in channels),
    )


UNKNOWN = Unknown("nobody told")
NO_GPU = Host(os="linux", arch="x86_64", driver=None, gpus=())
UNKNOWN_HOST = Host(os="linux", arch="x86_64", driver=UNKNOWN, gpus=UNKNOWN)


def host(*gpus: tuple[str, str], driver: str | None, os: str = "linux", arch: str = "x86_64") -> Host:
    """A machine with these cards, each a name and a compute capability."""
    return Host(
        os=os,  # type: ignore[arg-type]
        arch=arch,  # type: ignore[arg-type]
        driver=DriverVersion.parse(driver) if driver else None,
        gpus=tuple(Gpu(name=name, compute_capability=ComputeCapability.parse(cc)) for name, cc in gpus),
    )
