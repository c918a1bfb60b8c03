"""A host as the JSON object that `--host FILE` reads and `wsb doctor --json` prints, wsb.host/1."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from builder.model.engine import EngineInfo
from builder.model.host import Gpu, Host, HostDetails
from builder.model.values import Unknown

SCHEMA = "wsb.host/1"


def host_document(host: Host) -> dict[str, Any]:
    """What is not known is {"unknown": why}; null and [] mean that there is none. Details are for people and doctor only."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "os": host.os,
        "arch": host.arch,
        "driver": _fact(host.driver),
        "gpus": _unknown(host.gpus) if isinstance(host.gpus, Unknown) else [_gpu(gpu) for gpu in host.gpus],
    }
    if host.driver_cuda is not None:
        document["driver_cuda"] = str(host.driver_cuda)
    if host.engine is not None:
        document["engine"] = _unknown(host.engine) if isinstance(host.engine, Unknown) else _engine(host.engine)
    if host.details is not None:
        document["details"] = _details(host.details)
    return document


def _gpu(gpu: Gpu) -> dict[str, Any]:
    capability = str(gpu.compute_capability) if gpu.compute_capability else None
    facts = {"name": gpu.name, "compute_capability": capability, "memory_mib": gpu.memory_mib, "uuid": gpu.uuid}
    state = _told(asdict(gpu.state)) if gpu.state else {}
    return _told({**facts, "index": gpu.index, **({"state": state} if state else {})})


def _engine(engine: EngineInfo) -> dict[str, Any]:
    return _told(asdict(engine))


def _details(details: HostDetails) -> dict[str, Any]:
    document = _told({**asdict(details), "kernel_module": _fact(details.kernel_module)})
    document["bus"] = _unknown(details.bus) if isinstance(details.bus, Unknown) else [_told(asdict(one)) for one in details.bus]
    document["nodes"] = [{"path": path, "gid": gid} for path, gid in details.nodes]
    return document


def _fact(value: object) -> Any:
    return _unknown(value) if isinstance(value, Unknown) else None if value is None else str(value)


def _unknown(value: Unknown) -> dict[str, str]:
    return {"unknown": value.because}


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what was not told: None, "" and (). False and 0 are told."""
    return {key: value for key, value in facts.items() if value is not None and value not in ("", (), [])}
