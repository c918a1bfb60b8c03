"""`wsb submit -- CMD`: a command of the project on several nodes of a Slurm or a Kubernetes."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli.cluster_options import KubernetesOptions, SlurmOptions, cluster_options


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
@cluster_options
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
    slurm: SlurmOptions,
    kubernetes: KubernetesOptions,
    words: tuple[str, ...],
) -> int:
    """Run a command of the project on several nodes of a cluster.

    Each process is started by torchrun and gets RANK, WORLD_SIZE and LOCAL_RANK. Before the command, every rank proves
    that it runs in this image, has its GPUs, and reaches all the others. Prints the job's id.
    """
    from builder.cli import common, following, submitting
    from builder.cli.run import below

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
        return following.see_through(record, console, as_json=as_json)
    console.line(f"submitted; `wsb status {record.id}` says where it stands, `wsb logs --follow {record.id}` what it prints")
    if as_json:
        console.document(record.document())
    else:
        console.product(record.id)
    return 0
