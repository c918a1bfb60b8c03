"""What a user wants to run on a cluster, and what a cluster says of it, in words that Slurm and Kubernetes share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import Enum
from typing import Any, Final

from builder.errors import WsbError
from builder.launch.oci import Bind
from builder.model.frozen import frozen

PROOF_FAILED: Final = 97  # the exit code of a job whose proof failed, as verify/probes/job.py has it
PROOF_LINE: Final = "wsb: proof failed: "
SCHEMA: Final = "wsb.job/1"


@frozen
class Job:
    """gpus: on each node. tasks: processes that torchrun starts on each node; 0 runs the command once a node without it.

    An empty command asks for the proof alone. keep: names of env, so that they reach the command in the container.
    """

    name: str
    command: tuple[str, ...] = ()
    nodes: int = 1
    gpus: int = 0
    tasks: int = 1
    cpus: int | None = None
    memory: str = ""
    time: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[Bind, ...] = ()
    workdir: str = "/workspace"
    shm_size: str = "8g"

    def __post_init__(self) -> None:
        if self.command[:1] in (("torchrun",), ("accelerate",)):
            raise WsbError(
                "bad-value",
                f"wsb starts the processes of a job itself, so the command must not begin with {self.command[0]}",
                hints=[
                    "write `-- python train.py …`: each process gets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT",
                    "`--launcher none` runs any command once a node, as it stands",
                ],
            )


@frozen
class Image:
    """What the nodes run. id: of the exported image, "" where nodes pull it by reference. plan: its plan's digest."""

    plan: str
    python: str
    id: str = ""


class State(str, Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        return self in (State.DONE, State.FAILED, State.CANCELLED)


@frozen
class Status:
    """reason: one sentence, "" when there is nothing to say. exit_code: of the command, None while there is none."""

    state: State
    reason: str = ""
    exit_code: int | None = None
    nodes: str = ""

    def document(self) -> dict[str, Any]:
        found = {"state": self.state.value, "reason": self.reason, "exit_code": self.exit_code, "nodes": self.nodes}
        return {key: value for key, value in found.items() if value not in ("", None)}


@frozen
class Record:
    """A submitted job, as wsb remembers it on the machine it was submitted from.

    on: slurm or kubernetes. place: the login node of a Slurm, the context of a Kubernetes; "" for this machine's own.
    files: where its script and its output lie there.
    """

    id: str
    on: str
    name: str
    place: str = ""
    flavour: str = ""
    command: tuple[str, ...] = ()
    nodes: int = 1
    gpus: int = 0
    image: str = ""
    submitted: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        own = {
            "schema": SCHEMA,
            "id": self.id,
            "on": self.on,
            "name": self.name,
            "place": self.place,
            "flavour": self.flavour,
            "command": list(self.command),
            "nodes": self.nodes,
            "gpus": self.gpus,
            "image": self.image,
            "submitted": self.submitted,
            "files": dict(self.files),
        }
        return {key: value for key, value in own.items() if value not in ("", [], {})}

    @classmethod
    def from_document(cls, found: Mapping[str, Any]) -> Record:
        """Raises KeyError for what is no record."""
        return cls(
            id=found["id"],
            on=found["on"],
            name=found["name"],
            place=found.get("place", ""),
            flavour=found.get("flavour", ""),
            command=tuple(found.get("command", ())),
            nodes=found.get("nodes", 1),
            gpus=found.get("gpus", 0),
            image=found.get("image", ""),
            submitted=found.get("submitted", ""),
            files=found.get("files", {}),
        )


def inner_command(
    job: Job, image: Image, *, rendezvous: str, id: str, node_rank: str = "", more: Sequence[str] = ()
) -> tuple[str, ...]:
    """The words that start a node's part of a job inside the container; some of them may be expressions of a shell.

    more: further options of verify/probes/job.py.
    """
    words = [image.python, "-I", "/opt/wsb/probes/job.py"]
    for flag, value in (("--image", image.id), ("--plan", image.plan)):
        words += [flag, value] if value else []
    words += ["--gpus", str(job.gpus), "--nodes", str(job.nodes)]
    if job.tasks:
        words += ["--tasks", str(job.tasks), "--rendezvous", rendezvous, "--id", id]
        words += ["--node-rank", node_rank] if node_rank else []
    words += more
    for name in sorted(job.env):
        words += ["--keep", name]
    return (*words, "--", *job.command)


def proof_failure(output: str) -> str:
    """The reason that the proof inside a job printed; "" when it printed none."""
    found = [line for line in output.splitlines() if PROOF_LINE in line]
    return found[0].partition(PROOF_LINE)[2].strip() if found else ""
