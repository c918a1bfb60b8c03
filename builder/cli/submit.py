"""`wsb submit -- CMD`: a command of the project on several nodes of a Slurm or a Kubernetes."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("submit", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--on", "on", type=click.Choice(["slurm", "kubernetes"]), required=True, help="Where it runs.")
@click.option("--nodes", type=click.IntRange(min=1), default=1, show_default=True, help="How many nodes.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, help="GPUs on each node.")
@click.option("--tasks", type=click.IntRange(min=1), help="Processes on each node; default: one for each GPU.")
@click.option("--cpus", type=click.IntRange(min=1), help="CPU cores on each node.")
@click.option("--memory", default="", metavar="SIZE", help="Memory on each node, such as 64G.")
@click.option("--time", "time_limit", default="", metavar="LIMIT", help="Longest time, such as 2:00:00.")
@click.option("-e", "--env", "env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable for the command.")
@click.option("-v", "--mount", "mounts", multiple=True, metavar="SOURCE:TARGET[:ro]", help="A folder of the nodes, or a claim.")
@click.option("--launcher", type=click.Choice(["torchrun", "none"]), default="torchrun", help="none: once a node, as it is.")
@click.option("--follow", is_flag=True, help="Wait for the end, show the output, return the command's exit code.")
@click.option("--dry-run", is_flag=True, help="Print the script or the objects, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--image", "reference", default="", metavar="REF", help="What nodes pull; Kubernetes needs it, Pyxis may.")
@click.option("--flavour", type=click.Choice(["oci", "pyxis", "apptainer"]), default="oci", help="Slurm: how it starts images.")
@click.option("--host", default="", metavar="[USER@]HOST", help="Slurm: the login node, over ssh.")
@click.option("--shared", default="", metavar="DIR", help="Slurm: a folder that all nodes see; default ~/.local/share/wsb.")
@click.option("--partition", default="", help="Slurm: the partition.")
@click.option("--account", default="", help="Slurm: the account.")
@click.option("--sbatch", "extra", multiple=True, metavar="OPTION", help="Slurm: one more line for #SBATCH.")
@click.option("--kind", type=click.Choice(["job", "jobset", "trainjob"]), default="job", help="Kubernetes: the object.")
@click.option("--context", default="", help="Kubernetes: the context of the kubeconfig.")
@click.option("--namespace", default="", help="Kubernetes: the namespace.")
@click.option("--pull-secret", default="", metavar="NAME", help="Kubernetes: the secret for the registry.")
@click.option("--node-selector", multiple=True, metavar="KEY=VALUE", help="Kubernetes: only nodes with this label.")
@click.option("--queue", default="", metavar="NAME", help="Kubernetes: Kueue's local queue.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, required=True, metavar="[--] CMD...")
@click.pass_obj
def command(
    directory: str,
    on: str,
    nodes: int,
    gpus: int,
    tasks: int | None,
    cpus: int | None,
    memory: str,
    time_limit: str,
    env: tuple[str, ...],
    mounts: tuple[str, ...],
    launcher: str,
    follow: bool,
    dry_run: bool,
    as_json: bool,
    reference: str,
    flavour: str,
    host: str,
    shared: str,
    partition: str,
    account: str,
    extra: tuple[str, ...],
    kind: str,
    context: str,
    namespace: str,
    pull_secret: str,
    node_selector: tuple[str, ...],
    queue: str,
    words: tuple[str, ...],
) -> int:
    """Run a command of the project on several nodes of a cluster.

    Each process is started by torchrun and gets RANK, WORLD_SIZE and LOCAL_RANK. Before the command, every rank proves
    that it runs in this image, has its GPUs, and reaches all the others. Prints the job's id.
    """
    from builder.cli import common, submitting
    from builder.cli.run import below

    slurm = submitting.SlurmOptions(
        flavour=flavour, host=host, shared=shared, partition=partition, account=account, reference=reference, extra=extra
    )
    kubernetes = submitting.KubernetesOptions(
        kind=kind,
        context=context,
        namespace=namespace,
        reference=reference,
        pull_secret=pull_secret,
        node_selector=node_selector,
        queue=queue,
    )
    _only_for(
        on, slurm=(host, shared, partition, account, extra), kubernetes=(context, namespace, pull_secret, node_selector, queue)
    )
    console = common.console()
    engine = common.connect()
    try:
        present = common.built_workspace(engine, directory)
        submitting.check(present, engine, console, gpus)
        wanted = submitting.Wanted(
            command=words[1:] if words[0] == "--" else words,
            nodes=nodes,
            gpus=gpus,
            tasks=tasks,
            cpus=cpus,
            memory=memory,
            time=time_limit,
            env=env,
            mounts=mounts,
            uses_torchrun=launcher == "torchrun",
            workdir=below(present.workspace.directory, Path(directory)),
        )
        if on == "slurm":
            prepared = submitting.on_slurm(present, engine, wanted, slurm, console.line)
        else:
            prepared = submitting.on_kubernetes(present, wanted, kubernetes, console.line)
        if dry_run:
            console.product(prepared.text)
            return 0
        record = submitting.send(prepared)
    finally:
        engine.close()
    if follow:
        return submitting.see_through(record, console, as_json=as_json)
    console.line(f"submitted; `wsb status {record.id}` says where it stands, `wsb logs --follow {record.id}` what it prints")
    if as_json:
        console.document(record.document())
    else:
        console.product(record.id)
    return 0


def _only_for(on: str, **given: tuple[object, ...]) -> None:
    """Options of the other kind of cluster are mistakes, not decoration."""
    for kind, values in given.items():
        if kind != on and any(values):
            raise click.UsageError(f"an option for {kind} was given together with --on {on}; `wsb submit --help` marks them")
