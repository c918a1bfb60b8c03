"""A Kubernetes cluster over its API: objects handed over, asked about, their logs read, deleted.

A few paths of the HTTP API and nothing else, through requests, which the Docker SDK brings: a client library would be many
times larger than what is used of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import requests

from builder.errors import WsbError
from builder.launch.job import PROOF_FAILED, State, Status, proof_failure
from builder.launch.kubernetes import kubeconfig
from builder.launch.kubernetes.objects import Kind, Object, pod_selector
from builder.model.frozen import frozen

_TIMEOUT_S: Final = (10, 60)
_CORE: Final = {
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
}
_DONE: Final = ("Complete", "Completed", "SuccessCriteriaMet")
_PLURALS: Final = {"Job": Kind.JOB, "JobSet": Kind.JOBSET, "TrainJob": Kind.TRAINJOB}
_MISSING: Final = {
    Kind.JOBSET: "JobSet is not installed in this cluster (https://jobset.sigs.k8s.io); `--kind job` needs nothing",
    Kind.TRAINJOB: "Kubeflow Trainer is not installed in this cluster; `--kind job` needs nothing",
}


@frozen
class Id:
    """kind/namespace/name: all that is needed to find a job again."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}/{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Id:
        kind, namespace, name = text.split("/")
        return cls(kind=Kind(kind), namespace=namespace, name=name)


class Cluster:
    """One context of a kubeconfig."""

    def __init__(self, access: kubeconfig.Access) -> None:
        self.access = access
        self._session = requests.Session()
        self._session.verify = access.ca
        self._session.cert = access.certificate
        self._session.headers.update(access.headers)

    def submit(self, objects: Sequence[Object]) -> Id:
        """Create the first object, then the others as its own, so that they go with it."""
        job, *others = objects
        kind = _PLURALS[job["kind"]]
        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        made = self._call("POST", kind.path.format(namespace), job, doing=f"creating the {job['kind']} {name}", kind=kind)
        owner = {"apiVersion": job["apiVersion"], "kind": job["kind"], "name": name, "uid": made["metadata"]["uid"]}
        for other in others:
            owned = {**other, "metadata": {**other["metadata"], "ownerReferences": [owner]}}
            try:
                self._call("POST", _CORE[other["kind"]].format(namespace), owned, doing=f"creating the {other['kind']} {name}")
            except WsbError:
                self.cancel(str(Id(kind=kind, namespace=namespace, name=name)))
                raise
        return Id(kind=kind, namespace=namespace, name=name)

    def ask(self, text: str, known: str = "") -> tuple[Status, bytes, str]:
        """(where the job stands, what it printed beyond what was known, what is known now)."""
        id = Id.parse(text)
        job = self._get(f"{id.kind.path.format(id.namespace)}/{id.name}", doing=f"asking for {id.name}")
        if job is None:
            return Status(state=State.UNKNOWN, reason="the cluster knows it no more: it was deleted"), b"", known
        pods = self.pods(id)
        seen: dict[str, str] = json.loads(known) if known else {}
        output, now = self._logs(id, pods, seen)
        status = status_of(job, pods)
        if status.state is State.FAILED and status.exit_code == PROOF_FAILED:
            printed = b"".join(self._log(id.namespace, pod, "")[0] for pod in pods)
            reason = f"proof failed: {proof_failure(printed.decode('utf-8', 'replace'))}"
            status = Status(state=State.FAILED, reason=reason, exit_code=PROOF_FAILED, nodes=status.nodes)
        return status, output, json.dumps(now)

    def cancel(self, text: str) -> None:
        """Delete the job's object; its pods, service and project follow."""
        id = Id.parse(text)
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        self._call("DELETE", f"{id.kind.path.format(id.namespace)}/{id.name}", body, doing=f"deleting {id.name}")

    def pods(self, id: Id) -> list[Object]:
        """The job's pods, in the order of their place in it."""
        path = f"/api/v1/namespaces/{id.namespace}/pods"
        found = self._get(path, doing="listing pods", params={"labelSelector": pod_selector(id.kind, id.name)}) or {}
        return sorted(found.get("items") or (), key=lambda pod: (place(pod), pod["metadata"]["name"]))

    def get(self, path: str, doing: str) -> Object | None:
        """Any object; None where the cluster has none of that name."""
        return self._get(path, doing=doing)

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether this user may do that in the namespace, as the cluster itself says."""
        asked = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(self._call("POST", path, review, doing="asking what you may do")["status"].get("allowed"))

    # --- inner ---

    def _logs(self, id: Id, pods: Iterable[Object], seen: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        now, pieces = dict(seen), []
        pods = list(pods)
        for pod in pods:
            name = pod["metadata"]["name"]
            text, last = self._log(id.namespace, pod, seen.get(name, ""))
            if last:
                now[name] = last
            prefix = f"{place(pod)}: ".encode() if len(pods) > 1 else b""
            pieces += [prefix + line for line in text.splitlines(keepends=True)]
        return b"".join(pieces), now

    def _log(self, namespace: str, pod: Object, since: str) -> tuple[bytes, str]:
        """(its lines after a moment, the moment of the last one). Lines carry their time only on the way."""
        if not has_begun(pod):
            return b"", ""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/log"
        params = {"container": "node", "timestamps": "true", **({"sinceTime": since} if since else {})}
        response = self._request("GET", path, None, f"reading the log of {pod['metadata']['name']}", params)
        if response.status_code >= 400:  # its node is gone, or it has not quite begun
            return b"", ""
        kept, last = [], since
        for line in response.content.splitlines(keepends=True):
            moment, _, text = line.partition(b" ")
            if moment.decode("ascii", "replace") > since:
                kept.append(text)
                last = moment.decode("ascii", "replace")
        return b"".join(kept), last

    def _get(self, path: str, *, doing: str, params: Mapping[str, str] | None = None) -> Object | None:
        response = self._request("GET", path, None, doing, params)
        return None if response.status_code == 404 else self._answer(response, doing)

    def _call(self, method: str, path: str, body: Object, *, doing: str, kind: Kind | None = None) -> Object:
        response = self._request(method, path, body, doing)
        if response.status_code == 404 and kind in _MISSING:
            raise WsbError("cluster-refused", f"the cluster refused while {doing}", hints=[_MISSING[kind]])
        return self._answer(response, doing)

    def _request(
        self, method: str, path: str, body: Object | None, doing: str, params: Mapping[str, str] | None = None
    ) -> requests.Response:
        try:
            return self._session.request(method, self.access.server + path, json=body, params=params, timeout=_TIMEOUT_S)
        except (requests.RequestException, OSError) as error:
            raise WsbError(
                "cluster-unreachable",
                f"the cluster of context {self.access.context!r} does not answer at {self.access.server} while {doing}",
                details=[str(error)[:300]],
                hints=["`wsb doctor --on kubernetes` looks further"],
            ) from error

    def _answer(self, response: requests.Response, doing: str) -> Object:
        try:
            found = response.json()
        except ValueError:
            found = {"message": response.text[:300]}
        if response.status_code < 400 and isinstance(found, dict):
            return found
        hints = {
            401: ["your credentials are not valid any more: log in to the cluster again"],
            403: ["`wsb doctor --on kubernetes` says what you may do, and what a namespace's quota leaves"],
        }
        raise WsbError(
            "cluster-refused",
            f"the cluster refused while {doing} (HTTP {response.status_code})",
            details=str(found.get("message", "")).splitlines()[:4],
            hints=hints.get(response.status_code, []),
        )


def cluster_of(context: str, environ: Mapping[str, str]) -> Cluster:
    """The cluster of a context, "" for the current one."""
    return Cluster(kubeconfig.read(environ, context))


def place(pod: Object) -> int:
    """A pod's place in the job, as the Job's controller numbers them."""
    notes = pod["metadata"].get("annotations") or {}
    text = str(notes.get("batch.kubernetes.io/job-completion-index", "0"))
    return int(text) if text.isdigit() else 0


def has_begun(pod: Object) -> bool:
    """Whether its own container has run at all."""
    states = [one.get("state") or {} for one in (pod.get("status") or {}).get("containerStatuses") or ()]
    return any("running" in state or "terminated" in state for state in states)


def status_of(job: Object, pods: Sequence[Object]) -> Status:
    """Where a job stands, from its object's conditions and its pods."""
    told = (job.get("status") or {}).get("conditions") or ()
    conditions = {one["type"]: one for one in told if one.get("status") == "True"}
    nodes = ", ".join(sorted({pod["spec"]["nodeName"] for pod in pods if (pod.get("spec") or {}).get("nodeName")}))
    if any(kind in conditions for kind in _DONE) and "Failed" not in conditions:
        return Status(state=State.DONE, exit_code=0, nodes=nodes)
    failed = conditions.get("Failed") or conditions.get("FailureTarget")
    if failed:
        code, reason = _first_failure(pods)
        if failed.get("reason") == "DeadlineExceeded":
            return Status(state=State.FAILED, reason="its time was up (--time)", nodes=nodes)
        return Status(state=State.FAILED, reason=reason or failed.get("message", ""), exit_code=code, nodes=nodes)
    if "Suspended" in conditions:
        return Status(state=State.WAITING, reason="it is suspended: its queue has not let it in yet")
    if any(has_begun(pod) for pod in pods):
        return Status(state=State.RUNNING, nodes=nodes, reason=_waiting(pods))
    return Status(state=State.WAITING, reason=_waiting(pods))


def _first_failure(pods: Sequence[Object]) -> tuple[int | None, str]:
    """(exit code, why) of the container that failed first; the others were often only ended because of it."""
    ended = []
    for pod in pods:
        status = pod.get("status") or {}
        for one in status.get("containerStatuses") or ():
            done = (one.get("state") or {}).get("terminated")
            if done and done.get("exitCode"):
                ended.append((done.get("finishedAt") or "", done["exitCode"], done.get("reason", ""), place(pod)))
        if status.get("reason") in ("Evicted", "NodeLost", "Preempting"):
            ended.append(("", 0, f"{status['reason']}: {status.get('message', '')}", place(pod)))
    if not ended:
        return None, ""
    _, code, reason, number = min(ended)
    if not code:
        return None, reason
    if reason == "OOMKilled":
        return code, f"node {number} had no memory left for it (--memory)"
    return code, f"it ended with exit code {code}"


def _waiting(pods: Sequence[Object]) -> str:
    """Why a pod does not run: no node fits, or its image does not come."""
    for pod in pods:
        status = pod.get("status") or {}
        for one in status.get("conditions") or ():
            if one.get("type") == "PodScheduled" and one.get("status") == "False":
                return f"no node fits: {one.get('message', '')}"
        for one in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
            waits = (one.get("state") or {}).get("waiting") or {}
            if waits.get("reason") in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"):
                return f"{waits['reason']}: {waits.get('message', '')}"
    return ""
