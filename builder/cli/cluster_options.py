"""The options that say which cluster and how, shared by the verbs that send something to one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from builder.model.frozen import frozen

F = TypeVar("F", bound=Callable[..., Any])


@frozen
class SlurmOptions:
    """Where on which Slurm, and how. reference: what Pyxis pulls instead of a file."""

    flavour: str = "oci"
    host: str = ""
    shared: str = ""
    partition: str = ""
    account: str = ""
    reference: str = ""
    extra: tuple[str, ...] = ()


@frozen
class KubernetesOptions:
    """Where on which Kubernetes, and how. reference: what the nodes pull."""

    kind: str = "job"
    context: str = ""
    namespace: str = ""
    reference: str = ""
    pull_secret: str = ""
    node_selector: tuple[str, ...] = ()
    queue: str = ""


_OPTIONS = (
    click.option("--image", "reference", default="", metavar="REF", help="What nodes pull; Kubernetes needs it, Pyxis may."),
    click.option(
        "--flavour", type=click.Choice(["oci", "pyxis", "apptainer"]), default="oci", help="Slurm: what starts images."
    ),
    click.option("--host", default="", metavar="[USER@]HOST", help="Slurm: the login node, over ssh."),
    click.option("--shared", default="", metavar="DIR", help="Slurm: a folder that all nodes see; default ~/.local/share/wsb."),
    click.option("--partition", default="", help="Slurm: the partition."),
    click.option("--account", default="", help="Slurm: the account."),
    click.option("--sbatch", "extra", multiple=True, metavar="OPTION", help="Slurm: one more line for #SBATCH."),
    click.option("--kind", type=click.Choice(["job", "jobset", "trainjob"]), default="job", help="Kubernetes: the object."),
    click.option("--context", default="", help="Kubernetes: the context of the kubeconfig."),
    click.option("--namespace", default="", help="Kubernetes: the namespace."),
    click.option("--pull-secret", default="", metavar="NAME", help="Kubernetes: the secret for the registry."),
    click.option("--node-selector", multiple=True, metavar="KEY=VALUE", help="Kubernetes: only nodes with this label."),
    click.option("--queue", default="", metavar="NAME", help="Kubernetes: Kueue's local queue."),
)
_OF_SLURM = ("host", "shared", "partition", "account", "extra")
_OF_KUBERNETES = ("context", "namespace", "pull_secret", "node_selector", "queue")


def cluster_options(command: F) -> F:
    """The options above, handed to the command as slurm and kubernetes. The command has an option --on."""

    @functools.wraps(command)
    def gathered(*args: Any, **given: Any) -> Any:
        names = {"reference", "flavour", "kind", *_OF_SLURM, *_OF_KUBERNETES}
        own = {name: given.pop(name) for name in names}
        # options of the other kind of cluster are mistakes, not decoration
        for kind, its in (("slurm", _OF_SLURM), ("kubernetes", _OF_KUBERNETES)):
            wrong = [name for name in its if own[name]]
            if wrong and given["on"] != kind:
                flag = "--sbatch" if wrong[0] == "extra" else f"--{wrong[0].replace('_', '-')}"
                raise click.UsageError(f"{flag} is for --on {kind}")
        slurm = SlurmOptions(**{name: own[name] for name in ("flavour", "reference", *_OF_SLURM)})
        kubernetes = KubernetesOptions(**{name: own[name] for name in ("kind", "reference", *_OF_KUBERNETES)})
        return command(*args, **given, slurm=slurm, kubernetes=kubernetes)

    made: Any = gathered
    for option in reversed(_OPTIONS):
        made = option(made)
    return made  # type: ignore[no-any-return]
