"""Finding the engine: from the environment and docker's contexts to a client that has been answered once.

Looked for in the docker command's own order (DOCKER_HOST, DOCKER_CONTEXT, the current context, the default socket), so
that wsb and docker never speak to two different engines.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import docker
import docker.context
import docker.errors
import docker.utils
import requests.exceptions

from builder.engine import translate
from builder.engine.calls import Client
from builder.engine.translate import Seen
from builder.engine.tunnel import NoTunnel, dig

NEEDED_API: Final = (1, 40)  # the oldest that BuildKit through POST /build and today's SDK can rely on
_ANSWER_S: Final = 20
_TIMEOUT_S: Final = 300  # one silent answer; streams have none

_SEEN_IN_TEXT: Final = (
    (re.compile(r"refused"), Seen.REFUSED),
    (re.compile(r"[Pp]ermission denied"), Seen.DENIED),
    (re.compile(r"timed out"), Seen.SILENT),
    (re.compile(r"not known|resolve|No route|unreachable|nodename"), Seen.NO_HOST),
)


def connect(environ: Mapping[str, str]) -> Client:
    """A client of the engine that this environment names. Raises WsbError: engine-unreachable, engine-too-old."""
    endpoint = "the engine of the current docker context"
    try:
        where = _where(environ)
        endpoint = str(where.get("base_url") or docker.utils.parse_host(None)).replace("http+unix", "unix")
        _knock(endpoint, environ)
        api = _client(where, endpoint)
        answer = api.version(api_version=False)
    except NoTunnel as error:
        raise translate.unreachable(endpoint, _seen_in(str(error)), str(error)) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, ValueError) as error:
        raise translate.unreachable(endpoint, _seen_in(str(error)), str(error)) from error
    version = str(answer.get("ApiVersion", "0"))
    if _numbers(version) < NEEDED_API:
        raise translate.too_old(str(answer.get("Version", "?")), version, ".".join(map(str, NEEDED_API)))
    api._version = version
    api.timeout = _TIMEOUT_S
    return api


def _client(where: Mapping[str, Any], endpoint: str) -> Client:
    """The SDK's client; through a tunnel of its own where the engine is behind ssh. Raises NoTunnel, DockerException."""
    if not endpoint.startswith("ssh://"):
        return docker.APIClient(**where, version="1.40", timeout=_ANSWER_S)
    tunnel = dig(endpoint)
    try:
        api: Client = docker.APIClient(base_url=f"unix://{tunnel.socket}", version="1.40", timeout=_ANSWER_S)
    except BaseException:
        tunnel.close()
        raise
    api.wsb_tunnel, api.wsb_endpoint = tunnel, endpoint
    return api


def disconnect(api: Client) -> None:
    """Close the client, and the tunnel that is its own."""
    api.close()
    tunnel = getattr(api, "wsb_tunnel", None)
    if tunnel is not None:
        tunnel.close()


def _where(environ: Mapping[str, str]) -> dict[str, Any]:
    """The SDK's keywords for the endpoint. Raises DockerException."""
    # the SDK reads the process's own environment when it is given an empty one
    found: dict[str, Any] = {**docker.utils.kwargs_from_env(environment=dict(environ) or {"DOCKER_HOST": ""})}
    if "base_url" in found:
        return found
    name = environ.get("DOCKER_CONTEXT") or None
    try:
        context = docker.context.ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises a bare Exception for a damaged context file
        raise docker.errors.DockerException(str(error)) from error
    if context is None:
        raise docker.errors.DockerException(f"docker's context {name or '(the current one)'} does not exist")
    if context.Host:
        found["base_url"] = context.Host
        if context.TLSConfig is not None:
            found["tls"] = context.TLSConfig
    return found


def _knock(endpoint: str, environ: Mapping[str, str]) -> None:
    """Open the engine's socket once, because the SDK's own error does not tell an absent one from a forbidden one."""
    if not endpoint.startswith("unix://"):
        return
    path = "/" + endpoint.removeprefix("unix://").lstrip("/")
    seen, text = Seen.UNKNOWN, ""
    try:
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(_ANSWER_S)
            knocking.connect(path)
        return
    except (FileNotFoundError, NotADirectoryError):
        seen = Seen.NO_SOCKET
    except ConnectionRefusedError:
        seen = Seen.REFUSED
    except PermissionError:
        seen = Seen.DENIED
    except TimeoutError:
        seen = Seen.SILENT
    except OSError as error:
        text = str(error)
    raise translate.unreachable(endpoint, seen, text, [other for other in _sockets(environ) if other != path])


def _sockets(environ: Mapping[str, str]) -> list[str]:
    """Sockets of engines that exist on this machine: Docker Desktop, rootless Docker, Colima, Podman."""
    home, runtime = environ.get("HOME"), environ.get("XDG_RUNTIME_DIR")
    below_home = (".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock")
    candidates = [Path(home, name) for name in below_home] if home else []
    candidates += [Path(runtime, name) for name in ("docker.sock", "podman/podman.sock")] if runtime else []
    candidates += [Path("/run/podman/podman.sock")]
    found = []
    for path in candidates:
        try:
            if path.is_socket():
                found.append(str(path))
        except OSError:  # a folder this user may not look into
            continue
    return found


def _seen_in(text: str) -> Seen:
    return next((seen for pattern, seen in _SEEN_IN_TEXT if pattern.search(text)), Seen.UNKNOWN)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
