"""The objects for Kubernetes, held against the published models of current releases: every field is one they know."""

from __future__ import annotations

import base64
import re
from typing import Any

import kubeflow_trainer_api.models as trainer
import kubernetes.client as core
import pytest

from builder.errors import WsbError
from builder.launch.kubernetes import spelling
from builder.launch.kubernetes.objects import Kind, render
from tests.support.jobs import PULLED, job, placed

MODELS = {
    "Job": core.V1Job,
    "Service": core.V1Service,
    "ConfigMap": core.V1ConfigMap,
    "JobSet": trainer.JobsetV1alpha2JobSet,
    "TrainJob": trainer.TrainerV1alpha1TrainJob,
}
CASES = {
    "everything": (job(cpus=8, memory="64g"), {}),
    "queued": (job(), {"queue": "team"}),
    "no GPU, no torchrun": (job(gpus=0, tasks=0, env={}, time=""), {"project": b"", "pull_secret": "", "node_selector": None}),
    "one node": (job(nodes=1, gpus=8, tasks=8), {"claims": ()}),
    "the proof alone": (job(command=()), {"project": b""}),
}


def made(kind: Kind, case: str) -> list[dict[str, Any]]:
    asked, more = CASES[case]
    return render(asked, PULLED, placed(kind, **more))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", Kind)
def test_every_field_is_one_that_the_published_model_has(kind: Kind, case: str) -> None:
    for one in made(kind, case):
        model = MODELS[one["kind"]]
        assert as_the_model_has_it(model, one) == one


def as_the_model_has_it(model: Any, document: dict[str, Any]) -> dict[str, Any]:
    """The document after a way through the model: what the model does not know is lost, what is wrong raises."""
    if hasattr(model, "openapi_types"):
        return typed(model, document)
    found: dict[str, Any] = model.from_dict(document).to_dict()
    return found


def typed(model: Any, document: dict[str, Any]) -> dict[str, Any]:
    """The same for the kubernetes client's own models, of which every version has a list of fields and their types."""
    names = {alias: name for name, alias in model.attribute_map.items()}
    unknown = set(document) - set(names)
    assert not unknown, f"{model.__name__} has no {unknown}"
    return {alias: _value(model.openapi_types[names[alias]], value) for alias, value in document.items()}


def _value(kind: str, value: Any) -> Any:
    listed = re.fullmatch(r"[Ll]ist\[(.+)\]", kind)
    if listed:
        return [_value(listed[1], one) for one in value]
    mapped = re.fullmatch(r"[Dd]ict[(\[]str, (.+)[)\]]", kind)
    if mapped:
        return {key: _value(mapped[1], one) for key, one in value.items()}
    if kind.startswith("V"):
        return typed(getattr(core, kind), value)
    python = {"str": str, "int": int, "bool": bool, "object": object, "float": float, "bytes": str}[kind]  # bytes: in base64
    assert isinstance(value, python), (kind, value)
    return value


def test_the_check_itself_finds_a_field_that_does_not_exist() -> None:
    document = made(Kind.JOB, "everything")[0]
    document["spec"]["template"]["spec"]["containers"][0]["comand"] = ["x"]
    with pytest.raises(AssertionError, match="V1Container has no"):
        as_the_model_has_it(core.V1Job, document)
    document = made(Kind.TRAINJOB, "everything")[0]
    document["spec"]["trainer"]["nodes"] = 2
    assert as_the_model_has_it(MODELS["TrainJob"], document) != document


def pod_of(kind: Kind, case: str = "everything") -> dict[str, Any]:
    spec = made(kind, case)[0]["spec"]
    template = spec["template"] if kind is Kind.JOB else spec["replicatedJobs"][0]["template"]["spec"]["template"]
    found: dict[str, Any] = template["spec"]
    return found


@pytest.mark.parametrize("kind", [Kind.JOB, Kind.JOBSET])
def test_gpus_shared_memory_secret_and_nodes_are_asked_for(kind: Kind) -> None:
    pod = pod_of(kind)
    container = pod["containers"][0]
    assert container["resources"]["limits"] == {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "2"}
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}} in pod["volumes"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in container["volumeMounts"]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["nodeSelector"] == {"gpu": "h100"}


def test_pods_find_the_first_one_through_the_headless_service() -> None:
    job_object, service, _ = made(Kind.JOB, "everything")
    words = pod_of(Kind.JOB)["containers"][0]["command"]
    name = service["metadata"]["name"]
    assert words[words.index("--rendezvous") + 1] == f"{job_object['metadata']['name']}-0.{name}:29500"
    assert pod_of(Kind.JOB)["subdomain"] == name
    assert service["spec"]["selector"] == {"batch.kubernetes.io/job-name": job_object["metadata"]["name"]}


def test_a_word_of_the_users_is_not_expanded_by_kubernetes() -> None:
    asked = job(command=("echo", "$(HOSTNAME)", "$HOME"), env={"A": "$(B)"})
    container = render(asked, PULLED, placed())[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"][-2:] == ["$$(HOSTNAME)", "$HOME"]
    assert {"name": "A", "value": "$$(B)"} in container["env"]
    assert "$(WSB_JOB_NODE)" in container["command"]


def test_the_project_travels_with_the_job_and_a_claim_takes_its_place() -> None:
    with_project = made(Kind.JOB, "everything")
    assert base64.b64decode(with_project[2]["binaryData"]["project.tgz"]) == b"a project"
    assert "--project" in pod_of(Kind.JOB)["containers"][0]["command"]
    assert [one["kind"] for one in made(Kind.JOB, "the proof alone")] == ["Job", "Service"]


def test_a_project_too_large_for_a_config_map_is_refused_with_a_way_out() -> None:
    with pytest.raises(WsbError) as caught:
        placed(project=b"x" * 800_000)
    assert "--mount CLAIM:/workspace" in caught.value.hints[0]


@pytest.mark.parametrize("name", ["digits", "My_Project.v2", "9lives", "x" * 90, "---", "ä"])
def test_a_name_is_a_dns_label_with_room_for_what_is_added(name: str) -> None:
    found = spelling.object_name(name, "abc123")
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", found)
    assert len(f"{found}-workers-0-123") <= 63


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("30", 1800), ("30:15", 1815), ("2:00:00", 7200), ("1-12", 129600), ("1-0:30", 88200), ("1-0:0:5", 86405)],
)
def test_a_time_limit_means_what_it_means_on_slurm(text: str, seconds: int | None) -> None:
    assert spelling.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "quantity"), [("8g", "8Gi"), ("64G", "64Gi"), ("512m", "512Mi"), ("1.5GiB", "1.5Gi"), ("100", "100")]
)
def test_a_size_is_a_power_of_1024_as_elsewhere(text: str, quantity: str) -> None:
    assert spelling.quantity(text) == quantity


@pytest.mark.parametrize("wrong", ["soon", "1:2:3:4", "-1", "1h"])
def test_what_is_no_time_limit_is_refused(wrong: str) -> None:
    with pytest.raises(WsbError, match="no time limit"):
        spelling.seconds(wrong)


@pytest.mark.parametrize("text", ["/host:/data", "data", "data:relative", "Data:/x", "data:/x:rx"])
def test_what_is_no_claim_is_refused(text: str) -> None:
    with pytest.raises(WsbError, match="CLAIM:/TARGET"):
        spelling.parse_claim(text)


def test_a_job_that_waits_in_a_queue_starts_suspended() -> None:
    for kind in Kind:
        spec = made(kind, "queued")[0]
        assert spec["spec"]["suspend"] is True
        assert spec["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"


def test_what_belongs_to_a_job_is_not_shared() -> None:
    """Rendering twice gives the same, and neither holds a piece of the other."""
    first, second = made(Kind.JOB, "everything"), made(Kind.JOB, "everything")
    assert first == second
    first[0]["spec"]["template"]["spec"]["containers"][0]["env"].clear()
    assert second[0]["spec"]["template"]["spec"]["containers"][0]["env"]
