"""A Docker engine of the test run's own, new enough to hand in CDI devices, beside the machine's engine and apart from it.

The machine's dockerd is taken when it is new enough (25), else Debian's next release is unpacked into a cache folder;
nothing is installed. It has its own socket, data, containerd, bridge and CDI folder, and leaves the firewall's chains alone,
which belong to the machine's engine. It ends with the test run, however that ends.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.channel import exclusive
from tests.support.channel.debian import DebianArchive, NoDebianTools
from tests.support.engine import answers_at
from tests.support.polling import eventually

NEEDED = 25  # the first release that knows CDI, behind a feature flag until 28.2
SUITE = "trixie"  # has Docker 26.1.5 and buildx 0.13.1
PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "containerd")
CONTAINERD_STORE = "containerd-snapshotter"  # images as a registry holds them, which newer engines begin with
_PR_SET_PDEATHSIG = 1
_PREFIX = "wsb-engine-"


class NoPrivateEngine(RuntimeError):
    """Why none can be had on this machine; a reason to skip."""


@dataclass(frozen=True, kw_only=True)
class PrivateEngine:
    """A running engine. socket: where it answers. cdi_dir: specs written here are seen at once."""

    socket: Path
    cdi_dir: Path
    log: Path
    environ: Mapping[str, str] = field(repr=False)
    """This process's environment with DOCKER_HOST of this engine, and its own docker and buildx first."""

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    def write_spec(self, name: str, spec: Mapping[str, Any]) -> None:
        """One CDI spec file; the engine rereads its folder when something in it changes."""
        beside = self.cdi_dir / f".{name}.part"
        beside.write_text(json.dumps(spec, indent=1))
        beside.rename(self.cdi_dir / f"{name}.json")

    def remove_spec(self, name: str) -> None:
        (self.cdi_dir / f"{name}.json").unlink(missing_ok=True)


def mock_spec(
    kind: str = "nvidia.com/gpu",
    names: Sequence[str] = ("0", "1", "all"),
    *,
    env: Mapping[str, str] | None = None,
    mounts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A CDI spec as nvidia-ctk would write it, with devices that are /dev/null and say so.

    env, mounts: for every container that gets any of the devices; mounts are host path → path inside, read-only.
    """
    indexes = [name for name in names if name != "all"]

    def nodes(name: str) -> list[dict[str, str]]:
        chosen = indexes if name == "all" else [name]
        own = [{"path": f"/dev/nvidia{index}", "hostPath": "/dev/null"} for index in chosen if index.isdigit()]
        return [*own, {"path": "/dev/nvidiactl", "hostPath": "/dev/null"}, {"path": "/dev/nvidia-uvm", "hostPath": "/dev/null"}]

    told = {"NVIDIA_VISIBLE_DEVICES": "void", "WSB_CDI_MOCK": "1", **(env or {})}
    edits: dict[str, Any] = {"env": [f"{key}={value}" for key, value in told.items()]}
    if mounts:
        edits["mounts"] = [
            {"hostPath": source, "containerPath": target, "options": ["ro", "bind"]} for source, target in mounts.items()
        ]
    devices = [{"name": name, "containerEdits": {"deviceNodes": nodes(name)}} for name in names]
    return {"cdiVersion": "0.5.0", "kind": kind, "containerEdits": edits, "devices": devices}


@contextmanager
def private_engine(cache_dir: Path, *, features: Sequence[str] = ("cdi",)) -> Iterator[PrivateEngine]:
    """An engine that runs in the body, with these features of dockerd, such as CONTAINERD_STORE.

    cache_dir: keeps the unpacked programs between runs. Raises NoPrivateEngine.
    """
    if os.geteuid() != 0:
        raise NoPrivateEngine("a private engine is started as root only")
    if shutil.which("ip") is None or shutil.which("iptables") is None:
        raise NoPrivateEngine("a private engine needs ip and iptables: apt-get install iproute2 iptables")
    path = _programs(cache_dir)
    for folder in Path("/tmp").glob(f"{_PREFIX}*"):
        _sweep(folder)
    # a short path: a socket's name may have no more than 107 letters
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp"))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with _bridge(folder) as bridge, _daemon(folder, path, bridge, features) as engine:
                yield engine
        finally:
            _remove(folder)


def _sweep(folder: Path) -> None:
    """What a test run that was killed has left behind: its lock is nobody's any more."""
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_bridge(_bridge_name(folder))
            _remove(folder)
    except OSError:  # it is in use, or just being made or removed
        return


def _remove(folder: Path) -> None:
    _unmount_below(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _bridge_name(folder: Path) -> str:
    return f"wsb{folder.name[-8:]}"


def _remove_bridge(name: str) -> None:
    """The bridge, and the firewall's rules that name it."""
    for table, chain in (("nat", "POSTROUTING"), ("filter", "FORWARD")):
        listed = subprocess.run(
            ["iptables", "-w", "-t", table, "-S", chain], capture_output=True, text=True, check=False
        ).stdout
        for rule in (line.split()[1:] for line in listed.splitlines() if f" {name} " in line):
            subprocess.run(["iptables", "-w", "-t", table, "-D", *rule], capture_output=True, check=False)
    subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)


def _programs(cache_dir: Path) -> str:
    """A PATH whose dockerd is new enough."""
    here = os.environ.get("PATH", os.defpath)
    if _major(shutil.which("dockerd")) >= NEEDED:
        return here
    root = cache_dir.resolve() / f"docker-{SUITE}"
    with exclusive(cache_dir, f"docker-{SUITE}"):
        if not root.is_dir():
            _fetch(cache_dir / f"docker-{SUITE}-scratch", root)
    path = os.pathsep.join([str(root / "usr/sbin"), str(root / "usr/bin"), here])
    if _major(shutil.which("dockerd", path=path)) < NEEDED:
        raise NoPrivateEngine(f"the dockerd of Debian {SUITE} does not run here")
    return path


def _fetch(scratch: Path, root: Path) -> None:
    """About 90 MB from the archive this machine's apt reads. runc is not among them: Debian's next needs a newer libc."""
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        archive = DebianArchive(scratch, [SUITE])
        archive.update()
        archive.download(SUITE, PACKAGES)
        archive.unpack(SUITE, PACKAGES, scratch / "root")
    except (NoDebianTools, RuntimeError, OSError) as error:
        raise NoPrivateEngine(f"no Docker {NEEDED} or newer is here, and none could be fetched: {error}") from error
    (scratch / "root").rename(root)
    shutil.rmtree(scratch)


def _major(dockerd: str | None) -> int:
    if dockerd is None:
        return 0
    said = subprocess.run([dockerd, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)\.", said)
    return int(found[1]) if found else 0


@contextmanager
def _bridge(folder: Path) -> Iterator[str]:
    """A bridge of our own with its way out, and no chain of the firewall that another engine would call its own."""
    name = _bridge_name(folder)
    subnet = _free_subnet()
    rules = [
        ("nat", "POSTROUTING", "-s", f"{subnet}.0/24", "!", "-o", name, "-j", "MASQUERADE"),
        ("filter", "FORWARD", "-i", name, "-j", "ACCEPT"),
        ("filter", "FORWARD", "-o", name, "-j", "ACCEPT"),
    ]
    try:
        _run("ip", "link", "add", name, "type", "bridge")
        _run("ip", "address", "add", f"{subnet}.1/24", "dev", name)
        _run("ip", "link", "set", name, "up")
        for table, chain, *rule in rules:
            _run("iptables", "-w", "-t", table, "-I", chain, *rule)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        yield name
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or ""
        raise NoPrivateEngine(f"a private engine's bridge cannot be made: {error} {said}".strip()) from error
    finally:
        _remove_bridge(name)


def _free_subnet() -> str:
    taken = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=False).stdout
    return next(net for number in range(201, 255) if (net := f"10.213.{number}") + "." not in taken)


@contextmanager
def _daemon(folder: Path, path: str, bridge: str, features: Sequence[str]) -> Iterator[PrivateEngine]:
    cdi_dir = folder / "cdi"
    cdi_dir.mkdir()
    (folder / "daemon.json").write_text(json.dumps({"features": dict.fromkeys(features, True)}))
    socket, log = folder / "docker.sock", folder / "log"
    command = ["dockerd", f"--config-file={folder}/daemon.json", f"--host=unix://{socket}", f"--data-root={folder}/data"]
    command += [f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", f"--bridge={bridge}"]
    command += [f"--cdi-spec-dir={cdi_dir}", "--iptables=false", "--ip6tables=false"]
    environ = {**os.environ, "PATH": path}
    libc = ctypes.CDLL(None)
    with log.open("ab") as out:
        daemon = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environ,
            cwd="/",
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),  # it ends when the test run is killed
        )
    try:
        eventually(lambda: _answers(daemon, socket, log), "the private dockerd's answer", 120)
        yield PrivateEngine(socket=socket, cdi_dir=cdi_dir, log=log, environ=_environ(folder, path, socket))
    finally:
        daemon.terminate()
        with suppress(subprocess.TimeoutExpired):
            daemon.wait(30)
        daemon.kill()
        daemon.wait()


def _answers(daemon: subprocess.Popen[bytes], socket: Path, log: Path) -> bool:
    if daemon.poll() is not None:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise NoPrivateEngine(f"the private dockerd ended with exit code {daemon.returncode}:\n{last}")
    return answers_at(socket)


def _environ(folder: Path, path: str, socket: Path) -> dict[str, str]:
    """The buildx that was unpacked beside docker lies where no docker looks by itself."""
    environ = {name: value for name, value in os.environ.items() if name not in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY")}
    environ |= {"PATH": path, "DOCKER_HOST": f"unix://{socket}"}
    docker = shutil.which("docker", path=path)
    plugins = Path(docker).parent.parent / "libexec/docker/cli-plugins" if docker else Path()
    if docker and (plugins / "docker-buildx").is_file():
        config = folder / "config"
        config.mkdir()
        (config / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(plugins)]}))
        environ["DOCKER_CONFIG"] = str(config)
    return environ


def _unmount_below(folder: Path) -> None:
    """What an engine that was killed left mounted, innermost first."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for target in sorted((one for one in mounted if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", target], capture_output=True, check=False)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
