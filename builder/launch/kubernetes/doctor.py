"""What is missing in a Kubernetes before a job can run there: permissions, kinds, GPUs, quota; each with its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from builder.errors import WsbError
from builder.launch.kubernetes.client import Cluster
from builder.model.frozen import frozen
from builder.model.report import Finding, Severity

GPU: Final = "nvidia.com/gpu"
TITLES: Final[tuple[tuple[str, str, bool], ...]] = (
    ("api", "cluster", True),
    ("rights", "permissions", True),
    ("kinds", "kinds", False),
    ("gpus", "GPUs", True),
    ("quota", "quota", False),
)
NEEDED: Final = (1, 24)  # the first with Indexed Jobs that cannot be switched off
_RIGHTS: Final = (
    ("create", "batch", "jobs"),
    ("delete", "batch", "jobs"),
    ("create", "", "services"),
    ("create", "", "configmaps"),
    ("list", "", "pods"),
    ("get", "", "pods/log"),
)


@frozen
class Facts:
    """What the cluster told. forbidden: of the rights. nodes, quotas: None where this user may not list them."""

    context: str
    namespace: str
    version: str
    forbidden: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    nodes: tuple[Mapping[str, Any], ...] | None = None
    quotas: tuple[Mapping[str, Any], ...] | None = None
    has_namespace: bool = True
    unreachable: str = ""
    hints: tuple[str, ...] = field(default=())


def look(cluster: Cluster, namespace: str) -> Facts:
    """Every question; what may not be asked is told as not known."""
    access = cluster.access
    namespace = namespace or access.namespace
    try:
        version = (cluster.get("/version", "asking its version") or {}).get("gitVersion", "")
        forbidden = [f"{verb} {name}" for verb, group, name in _RIGHTS if not cluster.may(verb, group, name, namespace)]
    except WsbError as error:
        because = "; ".join([str(error), *error.details])
        return Facts(context=access.context, namespace=namespace, version="", unreachable=because, hints=tuple(error.hints))
    groups = {"jobset": "/apis/jobset.x-k8s.io/v1alpha2", "trainjob": "/apis/trainer.kubeflow.org/v1alpha1"}
    return Facts(
        context=access.context,
        namespace=namespace,
        version=version,
        forbidden=tuple(forbidden),
        kinds=tuple(kind for kind, path in groups.items() if _listed(cluster, path) is not None),
        nodes=_items(_listed(cluster, "/api/v1/nodes")),
        quotas=_items(_listed(cluster, f"/api/v1/namespaces/{namespace}/resourcequotas")),
    )


def examine(facts: Facts) -> tuple[Finding, ...]:
    """All that is to be said, in the order of a job's way."""
    if facts.unreachable:
        remedy = "; ".join(facts.hints) or "is the context right? `kubectl config get-contexts` lists them"
        return (_error("api", "unreachable", facts.unreachable, remedy),)
    return (*_api(facts), *_rights(facts), *_kinds(facts), *_gpus(facts), *_quota(facts))


def _api(facts: Facts) -> Iterator[Finding]:
    number = re.match(r"v?(\d+)\.(\d+)", facts.version)
    if number and (int(number[1]), int(number[2])) < NEEDED:
        yield _error(
            "api", "old", f"Kubernetes {facts.version} has no Indexed Jobs that can be relied on", "1.24 or newer is needed"
        )
        return
    yield _ok("api", "api", f"Kubernetes {facts.version}, context {facts.context}, namespace {facts.namespace}")


def _rights(facts: Facts) -> Iterator[Finding]:
    if facts.forbidden:
        remedy = f"a role with them in {facts.namespace}, or another namespace: `--namespace NAME`"
        yield _error("rights", "forbidden", f"you may not: {', '.join(facts.forbidden)}", remedy)
    else:
        yield _ok("rights", "rights", f"you may create, follow and delete jobs in {facts.namespace}")


def _kinds(facts: Facts) -> Iterator[Finding]:
    found = ["job", *facts.kinds]
    yield _ok("kinds", "kinds", "`--kind` may be " + ", ".join(found))


def _gpus(facts: Facts) -> Iterator[Finding]:
    if facts.nodes is None:
        yield _warn(
            "gpus",
            "nodes-hidden",
            "you may not list nodes, so whether any has GPUs is not known",
            "`wsb test --on kubernetes --gpus 1` finds out",
        )
        return
    counts = {
        node["metadata"]["name"]: int((node.get("status") or {}).get("allocatable", {}).get(GPU, 0)) for node in facts.nodes
    }
    with_gpu = {name: count for name, count in counts.items() if count}
    if not with_gpu:
        labelled = [
            node for node in facts.nodes if (node["metadata"].get("labels") or {}).get("nvidia.com/gpu.present") == "true"
        ]
        why = "nodes have NVIDIA cards, but" if labelled else "none of the nodes offers GPUs:"
        yield _warn(
            "gpus",
            "no-device-plugin",
            f"{why} no device plugin tells Kubernetes of {GPU}",
            "install NVIDIA's GPU Operator, or its device plugin: https://github.com/NVIDIA/k8s-device-plugin",
        )
        return
    most = max(with_gpu.values())
    yield _ok("gpus", "gpus", f"{len(with_gpu)} nodes with {sum(with_gpu.values())} GPUs, {most} at most on one")


def _quota(facts: Facts) -> Iterator[Finding]:
    for quota in facts.quotas or ():
        status = quota.get("status") or {}
        for name, hard in (status.get("hard") or {}).items():
            if GPU not in name and name not in ("pods", "limits.memory", "requests.memory", "limits.cpu", "requests.cpu"):
                continue
            used = (status.get("used") or {}).get(name, "0")
            text = f"{quota['metadata']['name']}: {used} of {hard} {name} used"
            if used == hard:
                yield _warn(
                    "quota", "quota-full", text, "a job that needs more will not start; ask for more, or end other jobs"
                )
            elif name.startswith(("limits.", "requests.")):
                what = "--memory" if name.endswith("memory") else "--cpus"
                yield _warn("quota", "quota-needs-limits", text, f"under this quota every job must say {what}")
            else:
                yield _ok("quota", "quota", text)


def _listed(cluster: Cluster, path: str) -> Mapping[str, Any] | None:
    try:
        return cluster.get(path, f"asking for {path}")
    except WsbError:  # not allowed to: that is an answer too
        return None


def _items(found: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...] | None:
    return None if found is None else tuple(found.get("items") or ())


def _ok(link: str, id: str, message: str) -> Finding:
    return Finding(id=id, link=link, severity=Severity.INFO, message=message)


def _warn(link: str, id: str, message: str, remedy: str) -> Finding:
    return Finding(id=id, link=link, severity=Severity.WARNING, message=message, remedy=remedy)


def _error(link: str, id: str, message: str, remedy: str) -> Finding:
    return Finding(id=id, link=link, severity=Severity.ERROR, message=message, remedy=remedy)
