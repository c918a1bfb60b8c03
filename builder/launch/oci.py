"""Image → the config.json of an OCI bundle that an ordinary user's runtime starts on a cluster node, without root.

Pure: facts in, a document out. The bundle belongs to one user: his own id is root's inside, the only mapping that the kernel
allows without /etc/subuid. The file system is read-only, because all nodes share it.
Source: https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md; what Slurm changes in it: its containers page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from builder.engine.base import ImageInfo
from builder.errors import WsbError
from builder.launch.container import Identity
from builder.model.frozen import frozen

MARK: Final = "opt/wsb/image.json"  # below the root file system: which image this is, and its own environment
MARK_ID: Final = "opt/wsb/image-id"  # the id alone, for a shell to compare
JOB: Final = "/opt/wsb/probes/job.py"
_CAPABILITIES: Final = ("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")
_MASKED: Final = ("acpi", "asound", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi")
_READ_ONLY: Final = ("bus", "fs", "irq", "sys", "sysrq-trigger")


@frozen
class Bind:
    """A folder or file of the node that the container sees. target: absolute, inside."""

    source: str
    target: str
    is_read_only: bool = False


def parse_bind(text: str) -> Bind:
    """SOURCE:TARGET[:ro], both absolute: a node knows nothing of where wsb was started. Raises WsbError bad-value."""
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source.startswith("/") or not target.startswith("/") or mode not in ("", "ro", "rw"):
        raise WsbError(
            "bad-value",
            f"the mount {text!r} is not /SOURCE:/TARGET or /SOURCE:/TARGET:ro",
            hints=["both are absolute paths; the source is one that every node has"],
        )
    return Bind(source=source, target=target, is_read_only=mode == "ro")


def mark(image: ImageInfo, home: str) -> dict[str, Any]:
    """What the exported file system says of the image it was; job.py reads it. home: of the image's user."""
    document = {"schema": "wsb.image/1", "id": image.id, "tags": list(image.tags), "env": list(image.env), "home": home}
    return {**document, "workdir": image.workdir or "/", "command": [*image.entrypoint, *image.command]}


def home_of(document: Mapping[str, Any]) -> str:
    """Where the image's user is at home. document: the image's plan, {} for an image that wsb did not make."""
    user = document.get("user")
    return f"/home/{user['name']}" if user else "/root"


def config(
    image: ImageInfo,
    *,
    owner: Identity,
    binds: Sequence[Bind] = (),
    home: str = "/root",
    workdir: str = "",
    shm_size: str = "8g",
    python: str = "",
    has_gpu: bool = False,
) -> dict[str, Any]:
    """The bundle's config.json.

    owner: the only user who can start it. python: of an image that wsb made; its job.py then is process 1, which passes
    signals on and leaves nobody behind. has_gpu: ask the site's NVIDIA runtime for the devices of the job.
    """
    own = [*image.entrypoint, *image.command] or ["/bin/sh"]
    words = [python, "-I", JOB, "--image", image.id, "--", *image.command] if python and image.command else own
    gpu = ("NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility") if has_gpu else ()
    capabilities = list(_CAPABILITIES)
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": words,
            "env": [*image.env, f"HOME={home}", *gpu],
            "cwd": workdir or image.workdir or "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted", "ambient"), capabilities),
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "mounts": _mounts(binds, home, shm_size),
        "linux": {
            "uidMappings": [{"containerID": 0, "hostID": owner.uid, "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": owner.gid, "size": 1}],
            # neither a host name nor a network of its own: torchrun looks its own name up, and NCCL wants the real network
            "namespaces": [{"type": kind} for kind in ("pid", "ipc", "mount", "user")],
            "maskedPaths": [f"/proc/{name}" for name in _MASKED] + ["/sys/firmware"],
            "readonlyPaths": [f"/proc/{name}" for name in _READ_ONLY],
        },
        "annotations": {"dev.wsb.image": image.id},
    }


def key(document: Mapping[str, Any]) -> str:
    """Eight letters that two different configurations do not share."""
    text = json.dumps(document, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _mounts(binds: Sequence[Bind], home: str, shm_size: str) -> list[dict[str, Any]]:
    safe = ["nosuid", "nodev"]
    mounts: list[dict[str, Any]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        _tmpfs("/dev", "nosuid", "strictatime", "mode=755", "size=65536k"),
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        },
        _tmpfs("/dev/shm", *safe, "mode=1777", f"size={shm_size}"),
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": [*safe, "noexec"]},
        # bound, because a user without a network namespace of his own may not mount another one
        {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]},
        _tmpfs("/tmp", *safe, "mode=1777"),
        _tmpfs("/var/tmp", *safe, "mode=1777"),
        _tmpfs(home, *safe, "mode=700"),
    ]
    # the node's own names: torchrun must find the other nodes, and itself
    names = [Bind(source=path, target=path, is_read_only=True) for path in ("/etc/hosts", "/etc/resolv.conf")]
    return mounts + [_bind(one) for one in (*names, *binds)]


def _tmpfs(target: str, *options: str) -> dict[str, Any]:
    return {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": list(options)}


def _bind(bind: Bind) -> dict[str, Any]:
    options = ["rbind", "nosuid", "nodev", "ro" if bind.is_read_only else "rw"]
    return {"destination": bind.target, "type": "bind", "source": bind.source, "options": options}
