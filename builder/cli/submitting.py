"""What `wsb submit` and `wsb test --on` share: from the command line's words to a job on a cluster, followed to its end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.cli.cluster_options import KubernetesOptions, SlurmOptions
from builder.errors import WsbError
from builder.launch.job import Image, Job, Record
from builder.launch.oci import JOB, Bind, parse_bind
from builder.model.frozen import frozen

if TYPE_CHECKING:
    from builder.cli.common import Present
    from builder.engine.base import Engine
    from builder.launch.kubernetes.kubeconfig import Access
    from builder.ui.console import Console


@frozen
class Wanted:
    """The options of `wsb submit` that Slurm and Kubernetes share, as they were given."""

    command: tuple[str, ...] = ()
    nodes: int = 1
    gpus: int = 0
    tasks: int | None = None
    cpus: int | None = None
    memory: str = ""
    time: str = ""
    env: Sequence[str] = ()
    mounts: Sequence[str] = ()
    uses_torchrun: bool = True
    workdir: str = ""


def job_of(wanted: Wanted, document: Mapping[str, Any], environ: Mapping[str, str]) -> Job:
    """The job that the options ask for, with what wsb.yaml says under `run`. Raises WsbError bad-value."""
    run = document.get("run", {})
    tasks = (wanted.tasks or max(1, wanted.gpus)) if wanted.uses_torchrun else 0
    if tasks and "torch" not in document:
        raise WsbError(
            "bad-value",
            "this workspace has no torch, so torchrun cannot start its processes",
            hints=["`--launcher none` runs the command once a node"],
        )
    env = {
        **{key: str(value) for key, value in run.get("env", {}).items()},
        **dict(_pair(text, environ) for text in wanted.env),
    }
    return Job(
        name=document["name"],
        command=wanted.command,
        nodes=wanted.nodes,
        gpus=wanted.gpus,
        tasks=tasks,
        cpus=wanted.cpus,
        memory=wanted.memory,
        time=wanted.time,
        env=env,
        workdir=f"/workspace/{wanted.workdir}".rstrip("/"),
        shm_size=run.get("shm_size", "8g"),
    )


def image_of(present: Present, *, is_exported: bool) -> Image:
    """What the nodes run, of a workspace that is built here."""
    document = present.document
    return Image(plan=document["digest"], python=document["environment"]["python"], id=present.image.id if is_exported else "")


def check(present: Present, engine: Engine, console: Console, gpus: int) -> None:
    """What can be known before anything is sent."""
    from builder.cli import common

    if common.is_behind(present):
        console.warn("wsb.yaml or a file it names changed after this image was built", ["`wsb build` brings it up to date"])
    if not engine.files_from_image(present.image.id, [JOB]):
        raise WsbError(
            "image-missing", "this image was made by an older wsb and cannot prove a job", hints=["build it again: `wsb build`"]
        )
    variant = present.document.get("torch", {}).get("variant", "")
    if gpus and variant == "cpu":
        console.warn(
            f"{gpus} GPUs are asked for, and torch in this image is a CPU build: they will be given and not used",
            ["`wsb build` with `accelerator: cuda` in wsb.yaml makes an image that uses them"],
        )


@frozen
class Prepared:
    """A job that is ready to go. text: its script or its objects. put: whatever has to be there before it is submitted."""

    job: Job
    text: str
    put: Callable[[], None]
    record: Record
    submit: Callable[[], str]


def on_slurm(
    present: Present,
    engine: Engine,
    wanted: Wanted,
    options: SlurmOptions,
    say: Callable[[str], None],
    *,
    with_project: bool = True,
) -> Prepared:
    """The job for a Slurm; nothing is written yet."""
    job = job_of(wanted, present.document, os.environ)
    from builder.launch.bundle import Exporter
    from builder.launch.shell import shell_of
    from builder.launch.slurm import placing, script
    from builder.launch.slurm.client import Slurm

    shell = shell_of(options.host)
    site = placing.look(shell, options.shared)
    flavour = script.Flavour(options.flavour)
    exporter = Exporter(engine=engine, shell=shell, image=present.image, document=present.document, say=say)
    project = str(present.workspace.directory)
    if options.host:
        project = f"{site.shared}/projects/{job.name}"
    binds = [Bind(source=project, target="/workspace")] if with_project else []
    binds += _own_mounts(present.document, project) if with_project else []
    binds += [*map(parse_bind, wanted.mounts), script.jobs_bind(site.shared)]
    job = replace(job, binds=tuple(binds))
    path, config = placing.image_path(exporter, site, flavour, job)
    is_pulled = bool(options.reference) and flavour is script.Flavour.PYXIS
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    directory = f"{site.shared}/jobs/{job.name}-{stamp}-{secrets.token_hex(2)}"
    image = image_of(present, is_exported=not is_pulled)
    placed = script.Placed(
        flavour=flavour,
        source=script.pyxis_reference(options.reference) if is_pulled else path,
        directory=directory,
        partition=options.partition,
        account=options.account,
        extra=options.extra,
    )
    text = script.render(job, image, placed)

    def put() -> None:
        if not is_pulled and not placing.put_image(exporter, site, flavour, path, config):
            say(f"the image is there already: {path}")
        if options.host and with_project:
            placing.put_project(shell, site, job.name, present.workspace.directory, say)

    record = Record(
        id="",
        on="slurm",
        name=job.name,
        place=options.host,
        flavour=flavour.value,
        command=job.command,
        nodes=job.nodes,
        gpus=job.gpus,
        image=present.image.id,
        submitted=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        files={"directory": directory, "script": f"{directory}/job.sh"},
    )
    return Prepared(job=job, text=text, put=put, record=record, submit=lambda: Slurm(shell).submit(directory, text))


def _own_mounts(document: Mapping[str, Any], project: str) -> list[Bind]:
    """What wsb.yaml mounts: a relative source is below the project there too, ~ is the home of whoever submits."""
    found = []
    for text in document.get("run", {}).get("mounts", ()):
        source, _, rest = text.partition(":")
        path = str(Path(source).expanduser()) if source.startswith("~") else source
        found.append(parse_bind(f"{path if path.startswith('/') else f'{project}/{path}'}:{rest}"))
    return found


def on_kubernetes(
    present: Present, wanted: Wanted, options: KubernetesOptions, say: Callable[[str], None], *, with_project: bool = True
) -> Prepared:
    """The job for a Kubernetes; nothing is sent yet."""
    import yaml

    from builder.launch import project
    from builder.launch.kubernetes import kubeconfig, objects, spelling
    from builder.launch.kubernetes.client import Cluster

    if not options.reference:
        raise WsbError(
            "bad-value",
            "the nodes of a Kubernetes pull the image from a registry, and need its name there",
            hints=[
                f"`docker tag {present.document['name']}:latest REGISTRY/NAME:TAG && docker push REGISTRY/NAME:TAG`",
                "then `wsb submit --on kubernetes --image REGISTRY/NAME:TAG …`",
            ],
        )
    if present.document.get("run", {}).get("mounts"):
        say("`run: mounts:` of wsb.yaml are folders of this machine and stay here; `--mount CLAIM:/TARGET` mounts a claim")
    access = _access(options)
    claims = tuple(spelling.parse_claim(text) for text in wanted.mounts)
    brings_project = with_project and all(claim.target != objects.WORKSPACE for claim in claims)
    placed = objects.Placed(
        kind=objects.Kind(options.kind),
        name=spelling.object_name(present.document["name"], secrets.token_hex(3)),
        namespace=options.namespace or (access.namespace if access else "default"),
        reference=options.reference,
        project=project.packed(present.workspace.directory) if brings_project else b"",
        claims=claims,
        pull_secret=options.pull_secret,
        node_selector=dict(_label(text) for text in options.node_selector),
        queue=options.queue,
    )
    job = job_of(wanted, present.document, os.environ)
    made = objects.render(job, image_of(present, is_exported=False), placed)
    record = Record(
        id="",
        on="kubernetes",
        name=job.name,
        place=options.context or (access.context if access else ""),
        flavour=options.kind,
        command=job.command,
        nodes=job.nodes,
        gpus=job.gpus,
        image=options.reference,
        submitted=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
    )

    def submit() -> str:
        say(f"creating {', '.join(one['kind'] for one in made)} in {placed.namespace}")
        return str(Cluster(access or kubeconfig.read(os.environ, options.context)).submit(made))

    text = "---\n".join(yaml.safe_dump(one, sort_keys=False, allow_unicode=True, width=120) for one in made)
    return Prepared(job=job, text=text, put=lambda: None, record=record, submit=submit)


def _access(options: KubernetesOptions) -> Access | None:
    """The cluster that is meant; None where there is no kubeconfig, which a dry run does not need."""
    from builder.launch.kubernetes import kubeconfig

    try:
        return kubeconfig.read(os.environ, options.context)
    except WsbError as error:
        if error.code == "no-such-file" and not options.context:
            return None
        raise


def _label(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not key:
        raise WsbError("bad-value", f"--node-selector {text!r} is not KEY=VALUE")
    return key, value


def send(prepared: Prepared) -> Record:
    """Put, submit, remember. Returns the record with its id."""
    from builder.launch import records

    prepared.put()
    record = replace(prepared.record, id=prepared.submit())
    records.remember(os.environ, record)
    return record


def _pair(text: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """NAME=VALUE; NAME alone takes the value it has here."""
    name, found, value = text.partition("=")
    if not name.isidentifier():
        raise WsbError("bad-value", f"--env {text!r} is neither NAME=VALUE nor NAME")
    if not found and name not in environ:
        raise WsbError("bad-value", f"--env {name}: there is no such variable here")
    return name, value if found else environ[name]
