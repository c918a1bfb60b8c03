"""A real Slurm of two nodes on this machine, for tests: Debian's munged, slurmctld and two slurmd, started and stopped here.

Everything lies in one folder and in namespaces of its own: the machine's /etc is not touched, and when the run ends, however
it ends, the kernel removes every process of the cluster with the first one. Each node has its own host name, process ids and
fake GPUs (device files of /dev/null's kind), as machines have; what is started as the ordinary user `alice` sees all of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.support import engine as bring_up
from tests.support.polling import eventually

NODES = {"wsbn1": "127.0.1.11", "wsbn2": "127.0.1.12"}
GPUS_PER_NODE = 2
USER = "alice"
UID = 20001
PACKAGES = ("slurmctld", "slurmd", "slurm-client", "slurm-wlm-basic-plugins", "munge", "runc")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged", "runc")
_RUNC = "runc --rootless=true --root={folder}/runc/%n"
_ID = "%n.%u.%j.%s.%t"

_CONF = """\
ClusterName=wsb
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
GresTypes=gpu
ReturnToService=2
MpiDefault=none
SlurmdParameters=config_overrides
# seconds: a dead node is to be noticed while a test waits
SlurmdTimeout=15
KillWait=5
BatchStartTimeout=600
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/%n.pid
{nodes}
PartitionName=gpu Nodes={names} Default=YES MaxTime=30 State=UP
"""


def ensure_installed() -> None:
    """Install Slurm where it is missing. Debian starts no daemon here: none is configured."""
    if not all(shutil.which(name) for name in PROGRAMS):
        bring_up.install(*PACKAGES)


class Cluster:
    """folder: for configuration, state, logs and what the nodes share; on a disk, readable by everyone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared = folder / "shared"
        self._holder: subprocess.Popen[bytes] | None = None
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    # --- life ---

    def start(self) -> None:
        """Return when both nodes are idle."""
        self._write_files()
        # --kill-child and the death signal: nothing of the cluster outlives this process
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with (self.folder / "holder.log").open("wb") as log:
            self._holder = subprocess.Popen([*command, "sleep", "infinity"], stdout=log, stderr=log, start_new_session=True)
        eventually(lambda: self._init() is not None, "the cluster's first process")
        # the whole folder: a mount over a single file is lost when somebody else replaces that file
        self.inside("mount", "--bind", str(self.folder / "etc"), "/etc")
        self._daemon("munged", ["munged", "--foreground", "--force", *self._munge_options()])
        eventually((self.folder / "munge" / "socket").exists, "munged")
        self._daemon("slurmctld", ["slurmctld", "-D"])
        for node in NODES:
            self.start_node(node)
        eventually(lambda: self.states() == dict.fromkeys(NODES, "IDLE"), f"idle nodes, see {self.folder}/*.log")

    def stop(self) -> None:
        if self._holder is not None:
            first = self._init()
            if first is not None:
                os.kill(first, signal.SIGKILL)
            self._holder.wait()
            self._holder = None
        for daemon in self._daemons.values():
            daemon.wait()
        self._daemons.clear()

    def start_node(self, name: str) -> None:
        """A node with its own host name and process ids; the script's first process stands for its power supply."""
        script = f"hostname {name} && exec slurmd -D -N {name}"
        unshare = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
        self._daemon(name, [*unshare, "sh", "-c", script])

    def kill_node(self, name: str) -> None:
        """Pull the plug: the daemon and everything it runs are gone at once."""
        daemon = self._daemons.pop(name)
        for unshare in _children(daemon.pid):  # the daemon itself is nsenter, waiting for it
            os.kill(unshare, signal.SIGKILL)
        daemon.wait()

    def restart_nodes(self) -> None:
        """Restart the node daemons, which read oci.conf only then."""
        for name in NODES:
            self.kill_node(name)
            self.start_node(name)
        eventually(lambda: self.states() == dict.fromkeys(NODES, "IDLE"), "idle nodes again")

    # --- use ---

    def inside(self, *command: str, check: bool = True) -> str:
        """Run as root in the cluster's namespaces; returns standard output."""
        done = subprocess.run([*self.enter(), *command], capture_output=True, text=True, env=self.environment(), check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def user_prefix(self) -> list[str]:
        """Words that make a command run as the user, on the login node so to speak.

        The user may speak to the container engine, and may read what the checkout needs wherever it lies.
        """
        engine_group = Path("/var/run/docker.sock").stat().st_gid
        identity = ["--reuid", str(UID), "--regid", str(UID), "--groups", str(engine_group)]
        capability = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        return [*self.enter(), "setpriv", *identity, *capability]

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "DOCKER_HOST") if name in os.environ}
        return {**kept, "SLURM_CONF": str(self.folder / "slurm.conf"), "HOME": str(self.home), "USER": USER}

    @property
    def home(self) -> Path:
        return self.shared / USER

    def states(self) -> dict[str, str]:
        """Node → state, as Slurm says it."""
        lines = self.inside("sinfo", "--noheader", "--Node", "--format=%N %T", check=False).split("\n")
        return {name: state.upper().rstrip("*") for name, _, state in (line.partition(" ") for line in lines) if name}

    def jobs(self) -> list[str]:
        """All that Slurm holds in its queue: id and state."""
        return self.inside("squeue", "--noheader", "--format=%i %T").split("\n")[:-1]

    def user_processes(self) -> list[str]:
        """Command lines of every process of the user that is alive, on both nodes."""
        lines = self.inside("ps", "-o", "args=", "-u", str(UID), check=False).split("\n")
        return [line for line in lines if line and "<defunct>" not in line]

    # --- inner ---

    def _write_files(self) -> None:
        bring_up.say(f"starting Slurm in {self.folder}")
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("ctld", "munge", "gpu", "runc", "shared", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        (self.folder / "munge").chmod(0o755)
        for node in NODES:
            (self.folder / "runc" / node).mkdir()
            (self.folder / "runc" / node).chmod(0o1777)
            for number in range(GPUS_PER_NODE):
                os.mknod(self.folder / "gpu" / f"{node}-{number}", 0o20666, os.makedev(1, 3))
        self.home.mkdir()
        os.chown(self.home, UID, UID)
        ports = _free_ports(3)
        machine = socket.gethostname()
        lines = "NodeName={0} NodeHostname={0} NodeAddr={1} Port={2} CPUs=2 RealMemory=2000 Gres=gpu:{3}"
        nodes = "\n".join(
            lines.format(name, address, port, GPUS_PER_NODE)
            for (name, address), port in zip(NODES.items(), ports[1:], strict=True)
        )
        conf = _CONF.format(host=machine, ports=ports, folder=self.folder, nodes=nodes, names=",".join(NODES))
        (self.folder / "slurm.conf").write_text(conf)
        last = GPUS_PER_NODE - 1
        gres = [f"NodeName={node} Name=gpu File={self.folder}/gpu/{node}-[0-{last}]\n" for node in NODES]
        (self.folder / "gres.conf").write_text("".join(gres))
        self.write_oci_conf()
        # as on a machine without systemd: nothing here is confined by cgroups
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        etc = self.folder / "etc"
        subprocess.run(["cp", "-a", "/etc", str(etc)], check=True)
        # addresses of their own, as torchrun tells nodes apart by the name that an address leads back to
        _append(etc / "hosts", f"127.0.0.1 {machine}", *(f"{address} {name}" for name, address in NODES.items()))
        _append(etc / "passwd", f"{USER}:x:{UID}:{UID}::{self.home}:/bin/bash")
        _append(etc / "group", f"{USER}:x:{UID}:")
        (self.folder / "munge" / "key").write_bytes(os.urandom(128))
        (self.folder / "munge" / "key").chmod(0o600)

    def write_oci_conf(self) -> None:
        runc = _RUNC.format(folder=self.folder)
        calls = {
            "Query": f"state {_ID}",
            "Kill": f"kill -a {_ID}",
            "Delete": f"delete --force {_ID}",
            "Run": f"run {_ID} -b %b",
        }
        self.oci_conf.write_text("".join(f'RunTime{name}="{runc} {call}"\n' for name, call in calls.items()))

    @property
    def oci_conf(self) -> Path:
        return self.folder / "oci.conf"

    def _munge_options(self) -> list[str]:
        place = self.folder / "munge"
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        return [f"--{option}={place / name}" for option, name in files.items()]

    def _daemon(self, name: str, command: Sequence[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                [*self.enter(), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(), cwd="/"
            )

    def enter(self) -> list[str]:
        """Words that make a command run as root in the cluster's namespaces."""
        return ["nsenter", "--target", str(self._init()), "--mount", "--pid"]

    def _init(self) -> int | None:
        """The host's id of the first process inside, once it has taken its place."""
        assert self._holder is not None
        with suppress(FileNotFoundError):
            for child in _children(self._holder.pid):
                if Path(f"/proc/{child}/comm").read_text().strip() == "sleep":
                    return child
        return None


def _append(file: Path, *lines: str) -> None:
    with file.open("a") as opened:
        opened.writelines(f"{line}\n" for line in lines)


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
