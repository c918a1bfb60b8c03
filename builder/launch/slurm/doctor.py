"""What is missing on a Slurm before a job can run there: asked in one visit to the login node, judged afterwards.

A login node cannot see how the compute nodes are set up. What stays unknown is said so, with the command that finds out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from builder.launch.shell import Shell
from builder.model.frozen import frozen
from builder.model.report import Finding, Severity

TITLES: Final[tuple[tuple[str, str, bool], ...]] = (
    ("slurm", "Slurm", True),
    ("containers", "containers", True),
    ("shared", "shared folder", True),
    ("gpus", "GPUs", True),
)
NEEDED: Final = (21, 8)  # the first Slurm with --container
_SHARED_KINDS: Final = re.compile(r"nfs|lustre|gpfs|beegfs|ceph|panfs|fuse|afs|smb|cifs|v9fs|orange|ocfs|gfs", re.IGNORECASE)
_ROOM_KIB: Final = 20 << 20  # a CUDA build of torch unpacked, twice, and what belongs to it

# each question under its own heading; a missing program leaves its part empty
_LOOK: Final = r"""
ask() { printf '@@ %s\n' "$1"; shift; "$@" 2>&1; true; }
ask version sbatch --version
ask ping scontrol ping
ask config scontrol show config
ask nodes sinfo --noheader --format='%P|%D|%T|%G|%l'
ask srun srun --help
ask apptainer sh -c 'command -v apptainer || command -v singularity'
ask squashfs sh -c 'command -v mksquashfs'
shared=${1:-${WSB_SHARED:-$HOME/.local/share/wsb}}
ask folder printf '%s\n' "$shared"
ask writable sh -c 'mkdir -p "$1" && [ -w "$1" ] && echo yes' sh "$shared"
ask kind stat -f -c %T "$shared"
ask room sh -c 'df -Pk "$1" | tail -n 1' sh "$shared"
conf=$(scontrol show config 2>/dev/null | sed -n 's/^SLURM_CONF *= *//p')
ask oci sh -c '[ -f "${1%/*}/oci.conf" ] && grep -v "^ *#" "${1%/*}/oci.conf"' sh "$conf"
"""


@frozen
class Facts:
    """The answers by their heading, "" for none."""

    where: str
    answers: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.answers.get(name, "")


def look(shell: Shell, shared: str) -> Facts:
    """One visit. Raises WsbError cluster-unreachable when the login node cannot be reached."""
    parts = re.split(r"^@@ (\w+)\n", shell.run(_LOOK, shared).text, flags=re.MULTILINE)
    answers = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    return Facts(where=shell.where, answers=answers)


def examine(facts: Facts) -> tuple[Finding, ...]:
    """All that is to be said, in the order of a job's way."""
    found = list(_slurm(facts))
    if all(one.severity is not Severity.ERROR for one in found):
        found += [*_containers(facts), *_shared(facts), *_gpus(facts)]
    return tuple(found)


def _slurm(facts: Facts) -> Iterator[Finding]:
    version = re.match(r"slurm\S* (\d+)\.(\d+)(\S*)", facts["version"])
    if version is None:
        remedy = "`wsb doctor --on slurm --host LOGIN-NODE` asks a login node over ssh"
        yield _error("slurm", "no-slurm", f"Slurm's commands are not installed on {facts.where}", remedy)
        return
    if " is UP" not in facts["ping"]:
        said = (facts["ping"].splitlines() or [""])[-1]
        yield _error("slurm", "slurm-down", f"Slurm's controller does not answer: {said}", "ask those who run the cluster")
        return
    number = (int(version[1]), int(version[2]))
    text = facts["version"].splitlines()[0]
    if number < NEEDED:
        yield _warn("containers", "slurm-old", f"{text} has no --container, which came with 21.08", "use `--flavour apptainer`")
    yield _ok("slurm", "slurm", f"{text}, its controller answers")


def _containers(facts: Facts) -> Iterator[Finding]:
    has_pyxis = "--container-image" in facts["srun"]
    if has_pyxis:
        yield _ok("containers", "pyxis", "Pyxis is loaded: `--flavour pyxis`")
        if not facts["squashfs"]:
            yield _warn(
                "containers",
                "no-mksquashfs",
                "mksquashfs, which makes a file for Pyxis, is not installed here",
                "install squashfs-tools, or let the nodes pull: `--flavour pyxis --image REGISTRY/NAME:TAG`",
            )
    if facts["apptainer"]:
        yield _ok("containers", "apptainer", f"{facts['apptainer'].splitlines()[0]} is there: `--flavour apptainer`")
    calls = dict(re.findall(r'^\s*(RunTime\w+|Container\w+)\s*=\s*"?(.*?)"?\s*$', facts["oci"], re.MULTILINE | re.IGNORECASE))
    wanted = ("RunTimeRun", "RunTimeKill", "RunTimeDelete", "RunTimeQuery")
    missing = [name for name in wanted if name.lower() not in {key.lower() for key in calls}]
    if facts["oci"] and not missing:
        runtime = next(value for key, value in calls.items() if key.lower() == "runtimerun").split()[0]
        yield _ok("containers", "oci-conf", f"oci.conf starts containers with {runtime}: `--flavour oci`")
        if "gpu" in facts["nodes"] and "nvidia" not in facts["oci"]:
            yield _warn(
                "containers",
                "no-nvidia-runtime",
                f"oci.conf does not name NVIDIA's runtime, and {runtime} alone brings no GPU into a container",
                "`wsb test --on slurm --gpus 1` finds out; those who run the cluster put nvidia-container-runtime there",
            )
        return
    if facts["oci"] and "RunTimeCreate".lower() not in {key.lower() for key in calls}:
        yield _error(
            "containers",
            "oci-conf-broken",
            f"oci.conf lacks {', '.join(missing)}",
            "see `man oci.conf`: it has examples for runc and crun",
        )
        return
    if has_pyxis or facts["apptainer"]:
        return
    yield _warn(
        "containers",
        "no-oci-conf",
        "there is no oci.conf beside slurm.conf here: unless the nodes have one, Slurm ignores --container and says nothing",
        "`wsb test --on slurm` finds out on the nodes; those who run the cluster add it: https://slurm.schedmd.com/containers.html",
    )


def _shared(facts: Facts) -> Iterator[Finding]:
    folder = facts["folder"]
    if facts["writable"] != "yes":
        said = (facts["writable"].splitlines() or ["it cannot be written"])[-1]
        yield _error(
            "shared", "not-writable", f"{folder}: {said}", "name a folder that you may write: `--shared DIR`, or WSB_SHARED"
        )
        return
    room = re.search(r"\s(\d+)\s+\d+%", facts["room"])
    if room and int(room[1]) < _ROOM_KIB:
        free = int(room[1]) >> 20
        yield _warn(
            "shared",
            "little-room",
            f"{folder} has {free} GiB left, and an image with CUDA needs about 10",
            "name a larger one: `--shared DIR`",
        )
    if _SHARED_KINDS.search(facts["kind"]):
        yield _ok("shared", "shared", f"{folder} is on a network file system ({facts['kind']})")
        return
    yield _warn(
        "shared",
        "maybe-local",
        f"{folder} looks like a disk of this machine ({facts['kind'] or 'unknown file system'}): do the nodes see it?",
        f"`srun ls {folder}` shows it; else name one that every node has: `--shared DIR`",
    )


def _gpus(facts: Facts) -> Iterator[Finding]:
    rows = [line.split("|") for line in facts["nodes"].splitlines() if line.count("|") == 4]
    with_gpu = [row for row in rows if "gpu" in row[3]]
    if not with_gpu:
        yield _warn(
            "gpus", "no-gpu", "no partition has GPUs that Slurm knows of (gres)", "submit without --gpus, or ask for gres.conf"
        )
        return
    usable = [row for row in with_gpu if not re.search(r"down|drain|fail|maint|unk", row[2])]
    told = "; ".join(f"{row[1]} nodes of {row[0].rstrip('*')} with {row[3]}, {row[2]}, up to {row[4]}" for row in with_gpu)
    if not usable:
        yield _error("gpus", "gpus-down", f"every node with GPUs is out of service: {told}", "`sinfo -R` says why")
        return
    yield _ok("gpus", "gpus", told)


def _ok(link: str, id: str, message: str) -> Finding:
    return Finding(id=id, link=link, severity=Severity.INFO, message=message)


def _warn(link: str, id: str, message: str, remedy: str) -> Finding:
    return Finding(id=id, link=link, severity=Severity.WARNING, message=message, remedy=remedy)


def _error(link: str, id: str, message: str, remedy: str) -> Finding:
    return Finding(id=id, link=link, severity=Severity.ERROR, message=message, remedy=remedy)
