"""A job → the sbatch script that runs it: text that a person would be glad to keep, and can submit again by hand.

Pure. Three flavours of the same plan: Slurm's own containers (an OCI bundle), Pyxis (a squashfs, or a reference to pull),
Apptainer (a SIF). Whichever it is, a shell first asks whether it is in the container at all: Slurm ignores `--container`
where it has no oci.conf, and runs the command on the bare node.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

from builder import __version__
from builder.errors import WsbError
from builder.launch.job import PROOF_FAILED, PROOF_LINE, Image, Job, inner_command
from builder.launch.oci import MARK_ID, Bind
from builder.model.frozen import frozen

NAME: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_WIDTH: Final = 118
_JOBS: Final = "/run/wsb/jobs"


class Flavour(str, Enum):
    """How a Slurm starts containers."""

    OCI = "oci"
    PYXIS = "pyxis"
    APPTAINER = "apptainer"


_SETTING: Final = {
    Flavour.OCI: "Slurm started no container: it ignores --container where it has no oci.conf",
    Flavour.PYXIS: "Slurm started no container: is the Pyxis plugin installed?",
    Flavour.APPTAINER: "this is another image than the job was submitted with",
}


_VARIABLE: Final = {Flavour.OCI: "bundle", Flavour.PYXIS: "container", Flavour.APPTAINER: "container"}


@frozen
class Placed:
    """The job on one Slurm.

    source: the bundle, the file, or the reference that nodes pull. directory: for the script and what the job prints.
    """

    flavour: Flavour
    source: str
    directory: str
    partition: str = ""
    account: str = ""
    extra: Sequence[str] = ()  # further #SBATCH lines, as the user wrote them

    @property
    def output(self) -> str:
        """%j is the job's id."""
        return f"{self.directory}/output-%j.log"


def render(job: Job, image: Image, placed: Placed) -> str:
    """The whole script."""
    sections = (
        _heading(job, placed),
        _start(job, image, placed),
        _variables(job),
        _command(job, image, placed),
    )
    return "\n".join("\n".join(lines) + "\n" for lines in map(list, sections) if lines)


def _heading(job: Job, placed: Placed) -> Iterator[str]:
    options = {
        "job-name": NAME.sub("-", job.name),
        "nodes": str(job.nodes),
        "ntasks-per-node": "1",
        "cpus-per-task": str(job.cpus or ""),
        "gres": f"gpu:{job.gpus}" if job.gpus else "",
        "mem": job.memory,
        "time": job.time,
        "partition": placed.partition,
        "account": placed.account,
        "output": placed.output,
    }
    yield "#!/bin/bash"
    yield f"# {job.name}: {_comment(job)}"
    yield f"# Written by wsb {__version__}. To run it once more: sbatch {placed.directory}/job.sh"
    for name, value in options.items():
        if value:
            yield f"#SBATCH --{name}={_directive(name, value)}"
    yield "#SBATCH --no-requeue"
    for option in placed.extra:
        if "\n" in option:
            raise WsbError("bad-value", f"the option {option!r} for sbatch holds a line break")
        yield f"#SBATCH {option}"


def _comment(job: Job) -> str:
    what = " ".join(shlex.join(job.command).split()) if job.command else "the proof alone"
    return what if len(what) <= _WIDTH else what[: _WIDTH - 1] + "…"


def _directive(name: str, value: str) -> str:
    """sbatch reads its lines itself: quotes hold blanks together, and nothing can hold a line break."""
    if "\n" in value or '"' in value:
        raise WsbError("bad-value", f"{value!r} cannot stand in a script for sbatch (--{name})")
    return f'"{value}"' if re.search(r"[\s#]", value) else value


def _start(job: Job, image: Image, placed: Placed) -> Iterator[str]:
    yield "set -euo pipefail"
    yield f"files={shlex.quote(placed.directory)}"
    yield f"{_VARIABLE[placed.flavour]}={shlex.quote(placed.source)}"
    if image.id:
        yield f"image={image.id}"
    yield f"plan={image.plan}"
    yield "# as the container sees it: where the first node that fails leaves its exit code"
    yield f"failed={_failed(placed)}"
    yield ""
    yield "# Slurm forgets a finished job after some minutes; this file does not."
    yield 'trap \'echo "$?" > "$files/exit-code-$SLURM_JOB_ID"\' EXIT'
    if job.tasks:
        yield ""
        yield "# torchrun on each node meets the others at the first one; a port of the job's own, as nodes may be shared"
        # not `| head -n 1`: with pipefail the script would die when scontrol is still writing
        yield 'hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")'
        yield "head=${hosts%%$'\\n'*}"
        yield "port=$((20000 + SLURM_JOB_ID % 20000))"
    yield ""
    yield "# The first words in the container: are we in it, and is it the right one?"
    yield f"inside={shlex.quote(_guard(image, placed.flavour))}"


def _variables(job: Job) -> Iterator[str]:
    for name, value in sorted(job.env.items()):
        yield f"export {name}={shlex.quote(value)}"


def _command(job: Job, image: Image, placed: Placed) -> Iterator[str]:
    yield "# One container a node. The resources are said once more: srun takes only part of them from the job."
    resources = ['--nodes="$SLURM_JOB_NUM_NODES"', "--ntasks-per-node=1"]
    resources += [f"--cpus-per-task={job.cpus}"] if job.cpus else []
    resources += [f"--gres=gpu:{job.gpus}"] if job.gpus else []
    shown = Image(plan="$plan", python=image.python, id="$image" if image.id else "")
    words = inner_command(job, shown, rendezvous="$head:$port", id="$SLURM_JOB_ID", more=("--failed", "$failed"))
    own = words[: len(words) - len(job.command)]
    rows = [f"srun {' '.join(resources)} --kill-on-bad-exit=1", *_container(job, placed)]
    rows.append(f'/bin/sh -c "$inside" {_word(shown.id or shown.plan)}')
    rows += [" ".join(map(_word, row)) for row in _rows(own)]
    if job.command:
        rows.append(shlex.join(job.command))
    yield " \\\n    ".join(rows) + " || code=$?"
    yield ""
    yield "# Of several nodes the first that failed tells why; the others were only ended because of it."
    yield 'if [ -s "$files/failed-$SLURM_JOB_ID" ]; then code=$(cat "$files/failed-$SLURM_JOB_ID"); fi'
    yield 'exit "${code:-0}"'


def jobs_bind(shared: str) -> Bind:
    """Where the container sees the folders of jobs; the same for all, so that they can share a bundle."""
    return Bind(source=f"{shared}/jobs", target=_JOBS)


def _failed(placed: Placed) -> str:
    name = shlex.quote(placed.directory.rpartition("/")[2])
    return f'{_JOBS}/{name}/failed-"$SLURM_JOB_ID"'


def _rows(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Words in lines that fit a screen, an option together with its value."""
    row: list[str] = []
    for number, word in enumerate(words):
        follows = word.startswith("--") or not words[number - 1].startswith("--")
        if row and follows and len(" ".join(row)) + len(word) > _WIDTH - 40:
            yield row
            row = []
        row.append(word)
    yield row


def _word(word: str) -> str:
    """One of our own words: a variable is expanded, in quotes."""
    return f'"{word}"' if "$" in word else shlex.quote(word)


def _guard(image: Image, flavour: Flavour) -> str:
    """Lines of shell that become the command they are given, or say that this is not the image that $0 names."""
    question = f'[ "$(cat /{MARK_ID} 2>/dev/null)" = "$0" ]' if image.id else 'grep -qs "$0" /opt/wsb/plan.json'
    said = f"{PROOF_LINE}{_SETTING[flavour]} (on $(uname -n))"
    return f'{question} && exec "$@"\necho "{said}"\nexit {PROOF_FAILED}'


def pyxis_reference(reference: str) -> str:
    """A reference as Enroot reads it: the registry's host ends with # there."""
    host, slash, rest = reference.partition("/")
    has_host = slash and ("." in host or ":" in host or host == "localhost")
    return f"{host}#{rest}" if has_host else reference


def _container(job: Job, placed: Placed) -> Iterator[str]:
    if placed.flavour is Flavour.OCI:
        yield '--container="$bundle"'
        return
    if placed.flavour is Flavour.PYXIS:
        yield '--container-image="$container" --no-container-mount-home'
        if job.binds:
            yield f"--container-mounts={shlex.quote(','.join(_mount(bind) for bind in job.binds))}"
        yield f"--container-workdir={shlex.quote(job.workdir)}"
        return
    # no folder of the user's gets in by itself; a process namespace, so that nothing stays behind
    gpu = "--nv " if job.gpus else ""
    yield f"apptainer exec {gpu}--no-home --no-mount cwd --pid --writable-tmpfs --pwd {shlex.quote(job.workdir)}"
    for bind in job.binds:
        yield f"--bind {shlex.quote(_mount(bind))}"
    yield '"$container"'


def _mount(bind: Bind) -> str:
    if "," in bind.source + bind.target or ":" in bind.source + bind.target:
        raise WsbError("bad-value", f"{bind.source} → {bind.target}: a mount's paths cannot hold a comma or a colon here")
    return f"{bind.source}:{bind.target}" + (":ro" if bind.is_read_only else "")
