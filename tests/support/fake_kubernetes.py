"""A Kubernetes API server in memory, over HTTP at the real paths: it keeps objects, plays their controllers, answers in the
real API's words. It stands for a cluster where none can be had; what it cannot show is that a real one takes the objects.

    with FakeKubernetes() as cluster:
        cluster.kubeconfig(folder)
        cluster.run_pods("digits-abc")      # the Job's controller and the kubelet
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]
TOKEN = "a-token"
NAMED = re.compile(r"(?P<collection>/(?:api/v1|apis/[^/]+/[^/]+)/namespaces/[^/]+/[a-z]+)(?:/(?P<name>[^/]+)(?P<sub>/log)?)?$")
KINDS = ("jobs", "jobsets", "trainjobs", "services", "configmaps", "pods", "resourcequotas")


class FakeKubernetes:
    """objects: by collection's path and name. logs: by pod. refused: (verb, resource) that the user may not."""

    def __init__(self, installed: tuple[str, ...] = ()) -> None:
        self.objects: dict[str, dict[str, Object]] = {}
        self.logs: dict[str, list[tuple[str, str]]] = {}
        self.installed = installed
        self.refused: set[tuple[str, str]] = set()
        self.nodes: list[Object] | None = []
        self.asked: list[tuple[str, str]] = []
        self.version = "v1.34.1"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> FakeKubernetes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def kubeconfig(self, folder: Path, **more: Any) -> Path:
        """A kubeconfig for this cluster; more: keys of its user instead of the token."""
        document = {
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "ada", "namespace": "research"}}],
            "clusters": [{"name": "lab", "cluster": {"server": self.address}}],
            "users": [{"name": "ada", "user": more or {"token": TOKEN}}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(document))
        return path

    # --- the controllers ---

    def collection(self, path: str) -> dict[str, Object]:
        return self.objects.setdefault(path, {})

    def only(self, resource: str) -> Object:
        """The one object of a resource in the whole cluster."""
        (found,) = [one for path, held in self.objects.items() if path.endswith(f"/{resource}") for one in held.values()]
        return found

    def run_pods(self, job: Object, label: str = "batch.kubernetes.io/job-name") -> list[Object]:
        """The pods of a job, running, as its controller makes them."""
        pods = self.collection(f"/api/v1/namespaces/{job['metadata']['namespace']}/pods")
        name = job["metadata"]["name"]
        for index in range(job["spec"].get("completions", 1)):
            pods[f"{name}-{index}-x"] = {
                "metadata": {
                    "name": f"{name}-{index}-x",
                    "labels": {label: name},
                    "annotations": {"batch.kubernetes.io/job-completion-index": str(index)},
                },
                "spec": {"nodeName": f"node-{index}"},
                "status": {"phase": "Running", "containerStatuses": [{"name": "node", "state": {"running": {}}}]},
            }
        return list(pods.values())

    def print(self, pod: Object, *lines: str) -> None:
        held = self.logs.setdefault(pod["metadata"]["name"], [])
        for line in lines:
            held.append((f"2026-01-01T00:00:00.{len(held):09d}Z", line))

    def end(self, pod: Object, code: int, at: str = "2026-01-01T00:01:00Z", reason: str = "Error") -> None:
        done = {"exitCode": code, "finishedAt": at, "reason": reason if code else "Completed"}
        pod["status"] = {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [{"name": "node", "state": {"terminated": done}}],
        }

    def conclude(self, job: Object, kind: str, **more: str) -> None:
        job.setdefault("status", {}).setdefault("conditions", []).append({"type": kind, "status": "True", **more})

    # --- the API ---

    def answer(self, method: str, target: str, body: Object, token: str) -> tuple[int, Any]:
        url = urlsplit(target)
        self.asked.append((method, url.path))
        if token != f"Bearer {TOKEN}":
            return 401, _status(401, "Unauthorized")
        if url.path == "/version":
            return 200, {"gitVersion": self.version}
        if url.path == "/api/v1/nodes":
            return (200, {"items": self.nodes}) if self.nodes is not None else (403, _status(403, "nodes is forbidden"))
        if url.path.endswith("/selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            allowed = (asked["verb"], asked["resource"]) not in self.refused
            return 201, {**body, "status": {"allowed": allowed}}
        group = re.match(r"/apis/(jobset\.x-k8s\.io|trainer\.kubeflow\.org)/", f"{url.path}/")
        if group and group[1] not in self.installed:
            return 404, _status(404, "the server could not find the requested resource")
        if re.fullmatch(r"/apis/[^/]+/[^/]+", url.path):
            return 200, {"kind": "APIResourceList"}
        found = NAMED.match(url.path)
        if not found or found["collection"].rpartition("/")[2] not in KINDS:
            return 404, _status(404, f"no such path: {url.path}")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if found["sub"]:
            return self._log(found["name"], query)
        return self._object(method, found["collection"], found["name"], body, query)

    def _object(self, method: str, path: str, name: str | None, body: Object, query: dict[str, str]) -> tuple[int, Any]:
        held = self.collection(path)
        resource = path.rpartition("/")[2]
        verb = {"POST": "create", "DELETE": "delete"}.get(method, "get" if name else "list")
        if (verb, resource) in self.refused:
            return 403, _status(403, f'{resource} is forbidden: User "ada" cannot {verb} resource "{resource}"')
        if method == "POST":
            if body["metadata"]["namespace"] != path.split("/namespaces/")[1].partition("/")[0]:
                return 400, _status(400, "the namespace of the object does not match the namespace on the request")
            made = {**body, "metadata": {**body["metadata"], "uid": str(uuid.uuid4())}}
            held[made["metadata"]["name"]] = made
            return 201, made
        if name is None:
            key, _, value = query.get("labelSelector", "").partition("=")
            items = [one for one in held.values() if not key or one["metadata"].get("labels", {}).get(key) == value]
            return 200, {"items": items}
        if name not in held:
            return 404, _status(404, f'{resource} "{name}" not found')
        if method == "DELETE":
            gone = held.pop(name)
            self._collect(gone["metadata"]["uid"], name)
            return 200, _status(200, "")
        return 200, held[name]

    def _collect(self, uid: str, name: str) -> None:
        """The garbage collector: what a deleted object owned goes too."""
        for held in self.objects.values():
            for other, one in list(held.items()):
                owned = any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences", ()))
                is_pod = "nodeName" in one.get("spec", {})
                if owned or (is_pod and name in one["metadata"].get("labels", {}).values()):
                    del held[other]

    def _log(self, pod: str, query: dict[str, str]) -> tuple[int, Any]:
        lines = self.logs.get(pod, [])
        since = query.get("sinceTime", "")[:19]  # the real one rounds to whole seconds
        return 200, "".join(f"{at} {line}\n" for at, line in lines if at[:19] >= since).encode()


def _status(code: int, message: str) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "code": code, "message": message}


def _handler(cluster: FakeKubernetes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            code, found = cluster.answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            data = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = do  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    return Handler
