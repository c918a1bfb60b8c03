"""What a registry on loopback holds, asked over HTTP."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def manifest(registry: str, repository: str, reference: str) -> dict[str, Any]:
    """registry: with a path or without. reference: a tag or a digest."""
    with _open(registry, repository, f"manifests/{reference}") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def beginning(registry: str, repository: str, digest: str, size: int) -> bytes:
    """The first bytes of a blob."""
    with _open(registry, repository, f"blobs/{digest}") as answer:
        found: bytes = answer.read(size)
    return found


def _open(registry: str, repository: str, what: str) -> Any:
    host, slash, path = registry.partition("/")
    url = f"http://{host}/v2/{path}{slash}{repository}/{what}"
    asked = urllib.request.Request(url, headers={"Accept": ", ".join(_MANIFESTS)})
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30)
