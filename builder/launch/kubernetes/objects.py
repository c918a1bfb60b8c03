"""A job → the Kubernetes objects that run it, as plain data.

Pure. Three kinds of the same plan: an Indexed Job with a headless Service (any cluster), a JobSet, a Kubeflow TrainJob. Each
pod is a node of the job: its first process proves the pod and starts torchrun, as on Slurm. The project travels as a
ConfigMap, which the first process unpacks into /workspace, unless a claim is mounted there.
Fields: https://kubernetes.io/docs/reference/kubernetes-api/, https://jobset.sigs.k8s.io/docs/reference/,
https://www.kubeflow.org/docs/components/trainer/.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

from builder.errors import WsbError
from builder.launch.job import Image, Job, inner_command
from builder.launch.kubernetes.spelling import Claim, quantity, seconds
from builder.model.frozen import frozen

JOB_LABEL: Final = "dev.wsb/job"
PORT: Final = 29500
GROUP_GID: Final = 900  # the image's group that may write the environment; volumes belong to it too
PROJECT_LIMIT_BYTES: Final = 700_000  # of a ConfigMap's one mebibyte, after base64
WORKSPACE: Final = "/workspace"
_SEEDS: Final = "/run/wsb/project"

Object = dict[str, Any]


class Kind(str, Enum):
    """The object that stands for the job."""

    JOB = "job"
    JOBSET = "jobset"
    TRAINJOB = "trainjob"

    @property
    def path(self) -> str:
        """Of its API, below the cluster's address; {} is the namespace."""
        return _PATHS[self]


_PATHS: Final = {
    Kind.JOB: "/apis/batch/v1/namespaces/{}/jobs",
    Kind.JOBSET: "/apis/jobset.x-k8s.io/v1alpha2/namespaces/{}/jobsets",
    Kind.TRAINJOB: "/apis/trainer.kubeflow.org/v1alpha1/namespaces/{}/trainjobs",
}
_SELECTORS: Final = {
    Kind.JOB: "batch.kubernetes.io/job-name={}",
    Kind.JOBSET: "jobset.sigs.k8s.io/jobset-name={}",
    Kind.TRAINJOB: "jobset.sigs.k8s.io/jobset-name={}",
}


@frozen
class Placed:
    """The job on one cluster. reference: what the nodes pull. project: packed, b"" where a claim or the image has it."""

    kind: Kind
    name: str
    namespace: str
    reference: str
    project: bytes = b""
    claims: tuple[Claim, ...] = ()
    pull_secret: str = ""
    node_selector: Mapping[str, str] | None = None
    queue: str = ""

    def __post_init__(self) -> None:
        if len(self.project) > PROJECT_LIMIT_BYTES:
            raise WsbError(
                "bad-value",
                f"the project is too large to travel in a ConfigMap: {len(self.project) >> 10} KiB packed, "
                f"{PROJECT_LIMIT_BYTES >> 10} KiB at most",
                hints=[
                    f"put it into a persistent volume claim, and mount that: `--mount CLAIM:{WORKSPACE}`",
                    "data does not belong into the project's folder: `--mount CLAIM:/data:ro`",
                ],
            )


def render(job: Job, image: Image, placed: Placed) -> list[Object]:
    """All objects, the one that stands for the job first: the others are owned by it, and go with it."""
    made = {Kind.JOB: _job, Kind.JOBSET: _jobset, Kind.TRAINJOB: _trainjob}[placed.kind](job, image, placed)
    others = [_service(placed)] if placed.kind is Kind.JOB else []
    return [made, *others, *([_project(placed)] if placed.project else [])]


def pod_selector(kind: Kind, name: str) -> str:
    return _SELECTORS[kind].format(name)


# --- kinds ---

# a pod's place in the job, as the Job's controller writes it
_INDEX: Final = {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}
_ENV: Final = [{"name": "WSB_JOB_NODE", "valueFrom": {"fieldRef": _INDEX}}]


def _job(job: Job, image: Image, placed: Placed) -> Object:
    first = f"{placed.name}-0.{placed.name}:{PORT}"
    words = inner_command(job, image, rendezvous=first, id=placed.name, node_rank="$(WSB_JOB_NODE)", more=_more(job, placed))
    spec = _pod(job, placed, words, _ENV)
    spec["subdomain"] = placed.name
    metadata = _metadata(placed, labels=_queue(placed))
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": _job_spec(job, placed, spec)}


def _job_spec(job: Job, placed: Placed, pod: Object) -> Object:
    return _known(
        completionMode="Indexed",
        completions=job.nodes,
        parallelism=job.nodes,
        # a rank that is lost cannot be replaced alone: the others wait for it in a collective
        backoffLimit=0,
        activeDeadlineSeconds=seconds(job.time),
        suspend=True if placed.queue and placed.kind is Kind.JOB else None,
        template={"metadata": {"labels": _labels(placed)}, "spec": pod},
    )


def _service(placed: Placed) -> Object:
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,  # the ranks meet before any of them is ready
        "selector": {"batch.kubernetes.io/job-name": placed.name},
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(placed), "spec": spec}


def _jobset(job: Job, image: Image, placed: Placed) -> Object:
    first = f"{placed.name}-workers-0-0.{placed.name}:{PORT}"
    words = inner_command(job, image, rendezvous=first, id=placed.name, node_rank="$(WSB_JOB_NODE)", more=_more(job, placed))
    workers = {"name": "workers", "replicas": 1, "template": {"spec": _job_spec(job, placed, _pod(job, placed, words, _ENV))}}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": _metadata(placed, labels=_queue(placed)),
        "spec": _known(
            failurePolicy={"maxRestarts": 0},
            network={"enableDNSHostnames": True, "publishNotReadyAddresses": True},
            suspend=True if placed.queue else None,
            replicatedJobs=[workers],
        ),
    }


def _trainjob(job: Job, image: Image, placed: Placed) -> Object:
    """The runtime torch-distributed tells each pod its place in variables that torchrun reads too."""
    where = {"rendezvous": "$(PET_MASTER_ADDR):$(PET_MASTER_PORT)", "node_rank": "$(PET_NODE_RANK)"}
    words = inner_command(job, image, **where, id=placed.name, more=_more(job, placed))
    pod = _pod(job, placed, words, [])
    container = pod["containers"][0]
    taken = ("volumes", "imagePullSecrets", "nodeSelector", "tolerations", "securityContext", "terminationGracePeriodSeconds")
    patch = {key: pod[key] for key in taken if key in pod}
    patch["containers"] = [{"name": "node", "volumeMounts": container["volumeMounts"]}]
    spec = _known(
        activeDeadlineSeconds=seconds(job.time),
        suspend=True if placed.queue else None,
        runtimeRef={"name": "torch-distributed"},
        trainer=_known(
            image=container["image"],
            command=container["command"],
            numNodes=job.nodes,
            numProcPerNode=job.tasks or None,
            env=container["env"] or None,
            resourcesPerNode=container.get("resources"),
        ),
        runtimePatches=[{"manager": "wsb", "trainingRuntimeSpec": _within("node", patch)}],
    )
    metadata = _metadata(placed, labels=_queue(placed))
    return {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "metadata": metadata, "spec": spec}


def _within(name: str, pod: Object) -> Object:
    """A change to the pods of one of a runtime's replicated jobs."""
    job = {"name": name, "template": {"spec": {"template": {"spec": pod}}}}
    return {"template": {"spec": {"replicatedJobs": [job]}}}


# --- parts ---


def _pod(job: Job, placed: Placed, words: Sequence[str], env: Sequence[Object]) -> Object:
    mounts: list[Object] = [{"name": "shm", "mountPath": "/dev/shm"}]
    volumes: list[Object] = [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": quantity(job.shm_size)}}]
    for number, claim in enumerate(placed.claims):
        source = _known(claimName=claim.name, readOnly=claim.is_read_only or None)
        volumes.append({"name": f"claim-{number}", "persistentVolumeClaim": source})
        mounts.append(_known(name=f"claim-{number}", mountPath=claim.target, readOnly=claim.is_read_only or None))
    if placed.project:
        volumes += [{"name": "workspace", "emptyDir": {}}, {"name": "project", "configMap": {"name": placed.name}}]
        mounts.append({"name": "workspace", "mountPath": WORKSPACE})
        mounts.append({"name": "project", "mountPath": _SEEDS, "readOnly": True})
    own = [{"name": name, "value": _literal(value)} for name, value in sorted(job.env.items())]
    container = _known(
        name="node",
        image=placed.reference,
        command=_escaped(words, job.command),
        env=[*env, *own],
        ports=[{"containerPort": PORT, "protocol": "TCP"}],
        resources=_resources(job),
        volumeMounts=mounts,
    )
    return _known(
        restartPolicy="Never",
        terminationGracePeriodSeconds=15,
        securityContext={"fsGroup": GROUP_GID},
        nodeSelector=dict(placed.node_selector) if placed.node_selector else None,
        # nodes with GPUs usually keep everybody else away
        tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}] if job.gpus else None,
        imagePullSecrets=[{"name": placed.pull_secret}] if placed.pull_secret else None,
        containers=[container],
        volumes=volumes,
    )


def _resources(job: Job) -> Object | None:
    limits = _known(
        cpu=str(job.cpus) if job.cpus else None,
        memory=quantity(job.memory) if job.memory else None,
    )
    # of GPUs a limit is also the request; of the others we ask for what we say
    gpus = {"nvidia.com/gpu": str(job.gpus)} if job.gpus else {}
    return _known(limits={**limits, **gpus} or None, requests=limits or None) or None


def _more(job: Job, placed: Placed) -> list[str]:
    project = ["--project", f"{_SEEDS}/project.tgz"] if placed.project else []
    return [*project, "--workdir", job.workdir]


def _queue(placed: Placed) -> dict[str, str]:
    return {"kueue.x-k8s.io/queue-name": placed.queue} if placed.queue else {}


def _escaped(words: Sequence[str], command: Sequence[str]) -> list[str]:
    """Kubernetes expands $(NAME) in a command; in the user's own words it must stand as it is."""
    own = len(words) - len(command)
    return [*words[:own], *map(_literal, words[own:])]


def _literal(text: str) -> str:
    return text.replace("$(", "$$(")


def _project(placed: Placed) -> Object:
    content = base64.b64encode(placed.project).decode()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(placed), "binaryData": {"project.tgz": content}}


def _metadata(placed: Placed, labels: Mapping[str, str] | None = None) -> Object:
    return {"name": placed.name, "namespace": placed.namespace, "labels": {**_labels(placed), **(labels or {})}}


def _labels(placed: Placed) -> dict[str, str]:
    return {"app.kubernetes.io/managed-by": "wsb", JOB_LABEL: placed.name}


def _known(**fields: Any) -> Object:
    return {key: value for key, value in fields.items() if value is not None}
