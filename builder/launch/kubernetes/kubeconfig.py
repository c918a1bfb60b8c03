"""How a cluster is reached: the user's kubeconfig, as kubectl reads it, without kubectl.

Certificates, tokens, files of tokens, and the programs that clouds hand out credentials with (`exec`).
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from builder.errors import WsbError
from builder.model.frozen import frozen

_EXEC_LIMIT_S: Final = 60


@frozen
class Access:
    """One context, ready for requests. ca: a file, or False for a cluster whose certificate is not to be checked.

    certificate: files of the client's certificate and its key.
    """

    server: str
    namespace: str
    context: str
    ca: str | bool = True
    certificate: tuple[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def read(environ: Mapping[str, str], context: str = "") -> Access:
    """The context of this name, "" for the current one. Raises WsbError no-such-file or bad-value."""
    paths = _paths(environ)
    documents = [(path, _load(path)) for path in paths if path.is_file()]
    if not documents:
        raise WsbError(
            "no-such-file",
            f"there is no kubeconfig: {', '.join(map(str, paths))}",
            hints=["set KUBECONFIG, or let your cluster's provider write ~/.kube/config"],
        )
    name = context or next((found["current-context"] for _, found in documents if found.get("current-context")), "")
    chosen = _named(documents, "contexts", name, "context")[1]
    folder, cluster = _named(documents, "clusters", chosen.get("cluster", ""), "cluster")
    user_folder, user = _named(documents, "users", chosen["user"], "user") if chosen.get("user") else (folder, {})
    return Access(
        server=str(cluster.get("server", "")).rstrip("/"),
        namespace=chosen.get("namespace") or "default",
        context=name,
        ca=False if cluster.get("insecure-skip-tls-verify") else _file(cluster, "certificate-authority", folder) or True,
        **_credentials(user, user_folder, environ),
    )


def _paths(environ: Mapping[str, str]) -> list[Path]:
    named = [Path(text) for text in environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    return named or [Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"]


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WsbError("bad-value", f"cannot read the kubeconfig {path}", details=str(error).splitlines()[:3]) from error
    return found if isinstance(found, dict) else {}


def _named(documents: list[tuple[Path, dict[str, Any]]], kind: str, name: str, field: str) -> tuple[Path, dict[str, Any]]:
    """(the folder that relative paths start from, the entry): the first file that has it wins, as with kubectl."""
    known = []
    for path, document in documents:
        for entry in document.get(kind) or ():
            known.append(entry.get("name", ""))
            if entry.get("name") == name:
                return path.parent, entry.get(field) or {}
    what = f"no {field} is called {name!r} in the kubeconfig" if name else "the kubeconfig has no current context"
    raise WsbError(
        "bad-value", what, details=[f"there are: {', '.join(known)}"] if known else [], hints=["`--context NAME` chooses one"]
    )


def _credentials(user: Mapping[str, Any], folder: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    if user.get("exec"):
        user = {**user, **_from_program(user["exec"], environ)}
    certificate = _file(user, "client-certificate", folder)
    key = _file(user, "client-key", folder)
    token = user.get("token") or ""
    if not token and user.get("tokenFile"):
        token = (folder / user["tokenFile"]).read_text("utf-8").strip()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if not headers and user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    return {"certificate": (certificate, key) if certificate and key else None, "headers": headers}


def _from_program(asked: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """What a credential program prints (client.authentication.k8s.io)."""
    command = [asked.get("command", ""), *(asked.get("args") or ())]
    version = asked.get("apiVersion", "client.authentication.k8s.io/v1")
    request = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    own = {entry["name"]: entry["value"] for entry in asked.get("env") or ()}
    env = {**environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(request)}
    hints = [asked["installHint"].strip()] if asked.get("installHint") else []
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_EXEC_LIMIT_S, check=True)
        status = json.loads(done.stdout)["status"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-3:]
        raise WsbError(
            "cluster-unreachable", f"{command[0]} gave no credentials for the cluster", details=said, hints=hints
        ) from error
    names = {"token": "token", "clientCertificateData": "client-certificate", "clientKeyData": "client-key"}
    found = {key: status[name] for name, key in names.items() if status.get(name)}
    # here the data is plain, in a kubeconfig it is base64
    return {
        f"{key}-data" if key != "token" else key: value if key == "token" else base64.b64encode(value.encode()).decode()
        for key, value in found.items()
    }


def _file(entry: Mapping[str, Any], key: str, folder: Path) -> str:
    """The path of a file that is named, or whose content stands there in base64; "" for neither."""
    data = entry.get(f"{key}-data")
    if data:
        with tempfile.NamedTemporaryFile(prefix="wsb-", suffix=".pem", delete=False) as file:
            file.write(base64.b64decode(data))
        _forget_at_exit(file.name)
        return file.name
    return str(folder / entry[key]) if entry.get(key) else ""


def _forget_at_exit(path: str) -> None:
    import atexit

    atexit.register(lambda: Path(path).unlink(missing_ok=True))
