"""What the proof inside a job printed → the same Report that `wsb test` makes of a container here."""

from __future__ import annotations

import re
from typing import Final

from builder.launch.job import PROOF_FAILED, Job, State, Status, proof_failure
from builder.model.report import Check, Report
from builder.model.report import Status as Verdict

# as verify/probes/job.py and job_rank.py say it
_NODE: Final = re.compile(r"wsb: (\S+): the image is right, (.*)$", re.MULTILINE)
_SUM: Final = re.compile(r"wsb: all_reduce over (\d+) ranks gave (\d+), which is right(?:; (.*))?$", re.MULTILINE)
_COMPUTED: Final = re.compile(r"each rank computed on its GPU \((.*)\)")


def report(image: str, job: Job, status: Status, output: str) -> Report:
    """job.image and job.gpus of every node, job.all_reduce over all ranks; what was not reached has failed."""
    nodes = dict(_NODE.findall(output))
    added = _SUM.search(output)
    why = proof_failure(output) or status.reason or f"the job is {status.state.value}"
    ranks = job.nodes * job.tasks
    checks = [_check("job.image", len(nodes), job.nodes, f"{len(nodes)} of {job.nodes} nodes run this image", why)]
    if job.gpus:
        checks.append(_check("job.gpus", len(nodes), job.nodes, f"{job.gpus} GPUs given on {len(nodes)} nodes", why))
    if job.tasks:
        found = int(added[1]) if added else 0
        measured = f"over {found} ranks: {added[2]}" if added else "no sum"
        checks.append(_check("job.all_reduce", found, ranks, measured, why))
    computed = _COMPUTED.search(added[3] or "") if added else None
    if job.gpus:
        checks.append(_compute(computed[1] if computed else "", added[3] or "" if added else why))
    if status.state is not State.DONE and all(check.status is not Verdict.FAIL for check in checks):
        code = None if status.exit_code == PROOF_FAILED else status.exit_code
        checks.append(Check(id="job.end", group="job", status=Verdict.FAIL, measured=code, expected=0, hint=why))
    device = computed[1] if computed else "mock" if job.gpus and added else "none"
    return Report(image=image, device=device, checks=tuple(checks))


def _check(id: str, found: int, wanted: int, measured: str, why: str) -> Check:
    is_right = found == wanted
    return Check(
        id=id,
        group="job",
        status=Verdict.PASS if is_right else Verdict.FAIL,
        measured=measured,
        expected=None if is_right else wanted,
        hint="" if is_right else why,
    )


def _compute(device: str, said: str) -> Check:
    """Only what ran on a real device may say that the GPU works."""
    if device:
        return Check(id="job.compute", group="job", status=Verdict.PASS, measured=device)
    return Check(id="job.compute", group="job", status=Verdict.SKIP, hint=said.rpartition(", and ")[2] or "not reached")
