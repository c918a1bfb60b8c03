"""Slurm's own commands, run through a shell: submit, ask, follow, cancel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from builder.errors import WsbError
from builder.launch.job import PROOF_FAILED, State, Status, proof_failure
from builder.launch.shell import Done, Shell
from builder.model.frozen import frozen

_STATES: Final = {
    "PENDING": State.WAITING,
    "REQUEUED": State.WAITING,
    "CONFIGURING": State.RUNNING,
    "RUNNING": State.RUNNING,
    "SUSPENDED": State.RUNNING,
    "STOPPED": State.RUNNING,
    "COMPLETING": State.RUNNING,
    "COMPLETED": State.DONE,
    "CANCELLED": State.CANCELLED,
}

_REASONS: Final = {
    "TIMEOUT": "its time was up (--time)",
    "OUT_OF_MEMORY": "a node had no memory left for it (--memory)",
    "NODE_FAIL": "a node died",
    "BOOT_FAIL": "a node did not start",
    "PREEMPTED": "a job of higher priority took its place",
    "DEADLINE": "its deadline passed",
}

# why a job waits, in Slurm's words → ours
_WAITS: Final = {
    "Resources": "it is the next, and waits until enough nodes are free",
    "Priority": "others are before it",
    "Dependency": "it waits for another job",
    "ReqNodeNotAvail": "nodes that it needs are down or reserved",
    "PartitionNodeLimit": "it asks for more than the partition allows, and will never start",
    "PartitionTimeLimit": "it asks for more time than the partition allows, and will never start",
    "QOSMaxJobsPerUserLimit": "you have as many jobs running as you may",
    "AssocGrpGRES": "the account has as many GPUs in use as it may",
}

_TAIL: Final = "\nwsb-tail\n"

# $1 the job, $2 its output, $3 bytes of it that are known: what Slurm says, then what the job printed since
_ASK: Final = f"""\
scontrol show job --oneliner "$1" 2>&1
printf '{_TAIL.encode("unicode_escape").decode()}'
cat "$2/exit-code-$1" 2>/dev/null
printf '{_TAIL.encode("unicode_escape").decode()}'
tail -c "+$3" "$2/output-$1.log" 2>/dev/null
true
"""


@frozen
class Answer:
    """Where a job stands, and what it has printed beyond what was known."""

    status: Status
    output: bytes


@dataclass(frozen=True, slots=True)
class Slurm:
    """The Slurm that a shell's machine is part of."""

    shell: Shell

    def submit(self, directory: str, script: str) -> str:
        """Write directory/job.sh and hand it over; returns the job's id."""
        write = 'mkdir -p "$1" && umask 077 && cat > "$1/job.sh"'
        self._done(self.shell.run(write, directory, stdin=[script.encode()]), f"writing {directory}/job.sh")
        done = self.shell.run('cd "$1" && sbatch --parsable job.sh', directory)
        return self._done(done, "submitting the job").text.strip().splitlines()[-1].partition(";")[0]

    def ask(self, id: str, directory: str, known_bytes: int = 0) -> Answer:
        """Raises WsbError no-such-job when neither Slurm nor the job's own files know it."""
        done = self.shell.run(_ASK, id, directory, str(known_bytes + 1))
        said, code, output = (part for part in done.out.split(_TAIL.encode(), 2))
        return Answer(status=self._status(id, said.decode("utf-8", "replace"), code.decode().strip(), directory), output=output)

    def cancel(self, id: str) -> None:
        self._done(self.shell.run('scancel "$1"', id), f"cancelling job {id}")

    def _status(self, id: str, said: str, left_behind: str, directory: str) -> Status:
        fields = job_fields(said)
        if fields.get("JobId") == id:
            found = status(fields)
        elif left_behind.isdigit():
            found = _of_code(int(left_behind))
        elif "Invalid job id" in said:
            reason = "Slurm has forgotten it, and its script left no exit code: the node it began on may have died"
            return Status(state=State.UNKNOWN, reason=reason)
        else:
            raise _refused("asking for the job", said, self.shell.where)
        if found.state is State.FAILED and found.exit_code:
            # of several nodes one may have been ended before it could say 97
            why = proof_failure(self.shell.run('head -c 1000000 "$1/output-$2.log"', directory, id).text)
            if why:
                return Status(state=State.FAILED, reason=f"proof failed: {why}", exit_code=PROOF_FAILED, nodes=found.nodes)
        if fields.get("JobState") == "NODE_FAIL":
            return Status(state=State.FAILED, reason=self._dead_nodes(found), exit_code=found.exit_code, nodes=found.nodes)
        return found

    def _dead_nodes(self, found: Status) -> str:
        """Which of a job's nodes are down, and why."""
        lines = self.shell.run('scontrol show node --oneliner "$1"', found.nodes).text.splitlines()
        nodes = [job_fields(line) for line in lines]
        dead = [node for node in nodes if re.search(r"DOWN|FAIL|NOT_RESPONDING|\*", node.get("State", ""))]
        names = ", ".join(node.get("NodeName", "?") for node in dead)
        why = {node["Reason"].partition(" [")[0] for node in dead if "Reason" in node}
        return _REASONS["NODE_FAIL"] + (f": {names}" if names else "") + (f" ({'; '.join(sorted(why))})" if why else "")

    def _done(self, done: Done, doing: str) -> Done:
        if done.code:
            raise _refused(doing, done.trouble, self.shell.where)
        return done


def job_fields(line: str) -> dict[str, str]:
    """The Key=Value pairs of scontrol's line; a value may hold blanks and = signs."""
    return {
        key: value.strip()
        for key, value in re.findall(r"(?:^|\s)([A-Z][A-Za-z:/_]*)=(.*?)(?=\s[A-Z][A-Za-z:/_]*=|$)", line.strip())
    }


def status(fields: Mapping[str, str]) -> Status:
    """What scontrol's fields of a job mean."""
    name = fields.get("JobState", "").split(" ")[0]
    state = _STATES.get(name, State.FAILED)
    nodes = fields.get("NodeList", "").replace("(null)", "")
    if state is State.WAITING:
        why = fields.get("Reason", "").partition(",")[0]
        return Status(state=state, reason=_WAITS.get(why, "" if why == "None" else why))
    if not state.is_final:
        return Status(state=state, nodes=nodes)
    code, _, by_signal = fields.get("ExitCode", "0:0").partition(":")
    exit_code = int(code) or (128 + int(by_signal) if by_signal.isdigit() and int(by_signal) else 0)
    if state is not State.FAILED:
        return Status(state=state, exit_code=exit_code if state is State.DONE else None, nodes=nodes)
    if name != "FAILED":  # Slurm ended it, and what its processes returned then says nothing
        return Status(state=state, reason=_REASONS.get(name, name), nodes=nodes)
    return Status(state=state, reason=f"it ended with exit code {exit_code}", exit_code=exit_code, nodes=nodes)


def _of_code(code: int) -> Status:
    if code == 0:
        return Status(state=State.DONE, exit_code=0)
    return Status(state=State.FAILED, exit_code=code, reason=f"it ended with exit code {code}")


def _refused(doing: str, text: str, where: str) -> WsbError:
    if "not found" in text and re.search(r"(sbatch|scontrol|scancel)", text):
        return WsbError(
            "tool-missing",
            f"Slurm's commands are not installed on {where}",
            details=text.splitlines()[-1:],
            hints=[
                "submit over ssh from here: `wsb submit --on slurm --host LOGIN-NODE …`",
                "`wsb doctor --on slurm` looks further",
            ],
        )
    unreachable = re.search(r"Unable to contact slurm controller|connect failure|Connection refused", text)
    hints = {
        r"invalid partition": "`sinfo -s` lists the partitions",
        r"Requested node configuration is not available|Invalid generic resource": (
            "no node has that many GPUs or CPUs: `sinfo -o '%P %D %c %m %G'` shows what there is"
        ),
        r"Invalid account": "`sacctmgr show assoc user=$USER format=account` lists your accounts",
        r"time limit": "`sinfo -o '%P %l'` shows the longest time of each partition",
    }
    return WsbError(
        "cluster-unreachable" if unreachable else "cluster-refused",
        f"Slurm on {where} {'does not answer' if unreachable else 'refused'} while {doing}",
        details=text.splitlines()[-3:],
        hints=[hint for pattern, hint in hints.items() if re.search(pattern, text, re.IGNORECASE)],
    )
