"""Submit, follow and cancel against an API server of ours that answers at the real paths; kubeconfigs as people have them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.errors import WsbError
from builder.launch.job import State
from builder.launch.kubernetes import doctor, kubeconfig
from builder.launch.kubernetes.client import Cluster, cluster_of
from builder.launch.kubernetes.objects import Kind, render
from builder.model.report import Severity
from tests.support.fake_kubernetes import TOKEN, FakeKubernetes
from tests.support.jobs import PULLED, job, placed


@pytest.fixture
def fake() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as started:
        yield started


@pytest.fixture
def cluster(fake: FakeKubernetes, tmp_path: Path) -> Cluster:
    return cluster_of("", {"KUBECONFIG": str(fake.kubeconfig(tmp_path))})


def submitted(cluster: Cluster, kind: Kind = Kind.JOB, **more: Any) -> str:
    return str(cluster.submit(render(job(**more), PULLED, placed(kind))))


def test_the_job_owns_what_belongs_to_it(cluster: Cluster, fake: FakeKubernetes) -> None:
    assert submitted(cluster) == "job/research/digits-abc123"
    uid = fake.only("jobs")["metadata"]["uid"]
    for resource in ("services", "configmaps"):
        (owner,) = fake.only(resource)["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["kind"]) == (uid, "Job")


def test_a_job_is_followed_from_waiting_to_its_end(cluster: Cluster, fake: FakeKubernetes) -> None:
    id = submitted(cluster)
    assert cluster.ask(id)[0].state is State.WAITING
    first, second = fake.run_pods(fake.only("jobs"))
    fake.print(first, "one", "two")
    status, output, known = cluster.ask(id)
    assert status.state is State.RUNNING
    assert status.nodes == "node-0, node-1"
    assert output == b"0: one\n0: two\n"
    fake.print(first, "three")
    fake.print(second, "from the other")
    # the server gives whole seconds again; what was shown is not shown twice
    status, output, known = cluster.ask(id, known)
    assert output == b"0: three\n1: from the other\n"
    assert cluster.ask(id, known)[1] == b""
    for pod in (first, second):
        fake.end(pod, 0)
    fake.conclude(fake.only("jobs"), "Complete")
    status = cluster.ask(id, known)[0]
    assert (status.state, status.exit_code) == (State.DONE, 0)


def test_the_pod_that_failed_first_gives_the_exit_code(cluster: Cluster, fake: FakeKubernetes) -> None:
    id = submitted(cluster)
    first, second = fake.run_pods(fake.only("jobs"))
    fake.end(first, 143, at="2026-01-01T00:00:09Z")
    fake.end(second, 7, at="2026-01-01T00:00:05Z")
    fake.conclude(
        fake.only("jobs"), "Failed", reason="BackoffLimitExceeded", message="Job has reached the specified backoff limit"
    )
    status = cluster.ask(id)[0]
    assert (status.state, status.exit_code, status.reason) == (State.FAILED, 7, "it ended with exit code 7")


def test_a_failed_proof_is_told_with_its_reason(cluster: Cluster, fake: FakeKubernetes) -> None:
    id = submitted(cluster)
    first, second = fake.run_pods(fake.only("jobs"))
    fake.print(second, "wsb: proof failed: 2 GPUs were asked for, and 1 are given here (on node-1)")
    fake.end(second, 97)
    fake.end(first, 97, at="2026-01-01T00:02:00Z")
    fake.conclude(fake.only("jobs"), "Failed", reason="BackoffLimitExceeded")
    status = cluster.ask(id)[0]
    assert status.exit_code == 97
    assert status.reason == "proof failed: 2 GPUs were asked for, and 1 are given here (on node-1)"


@pytest.mark.parametrize(
    ("pod_status", "reason"),
    [
        (
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
                    }
                ]
            },
            "no node fits: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
        ),
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "unauthorized"}}}]},
            "ImagePullBackOff: unauthorized",
        ),
    ],
)
def test_why_a_pod_does_not_start_is_said(
    cluster: Cluster, fake: FakeKubernetes, pod_status: dict[str, Any], reason: str
) -> None:
    id = submitted(cluster)
    for pod in fake.run_pods(fake.only("jobs")):
        pod["status"] = pod_status
    status = cluster.ask(id)[0]
    assert (status.state, status.reason) == (State.WAITING, reason)


def test_a_time_limit_and_a_lack_of_memory_are_reasons(cluster: Cluster, fake: FakeKubernetes) -> None:
    id = submitted(cluster)
    first, _ = fake.run_pods(fake.only("jobs"))
    fake.end(first, 137, reason="OOMKilled")
    fake.conclude(fake.only("jobs"), "Failed", reason="BackoffLimitExceeded")
    assert "node 0 had no memory left" in cluster.ask(id)[0].reason
    fake.only("jobs")["status"]["conditions"][0]["reason"] = "DeadlineExceeded"
    assert cluster.ask(id)[0].reason == "its time was up (--time)"


def test_cancelling_leaves_nothing(cluster: Cluster, fake: FakeKubernetes) -> None:
    id = submitted(cluster)
    fake.run_pods(fake.only("jobs"))
    cluster.cancel(id)
    assert all(not held for held in fake.objects.values())
    assert cluster.ask(id)[0].state is State.UNKNOWN


@pytest.mark.parametrize("kind", [Kind.JOBSET, Kind.TRAINJOB])
def test_a_kind_that_is_not_installed_is_said_so(cluster: Cluster, kind: Kind) -> None:
    with pytest.raises(WsbError) as caught:
        submitted(cluster, kind)
    assert "`--kind job` needs nothing" in caught.value.hints[0]


@pytest.mark.parametrize("kind", [Kind.JOBSET, Kind.TRAINJOB])
def test_the_other_kinds_are_followed_and_cancelled_alike(tmp_path: Path, kind: Kind) -> None:
    with FakeKubernetes(installed=("jobset.x-k8s.io", "trainer.kubeflow.org")) as fake:
        cluster = cluster_of("", {"KUBECONFIG": str(fake.kubeconfig(tmp_path))})
        id = submitted(cluster, kind)
        (pod,) = fake.run_pods(fake.only(f"{kind.value}s"), label="jobset.sigs.k8s.io/jobset-name")
        fake.print(pod, "hello")
        assert cluster.ask(id)[1] == b"hello\n"
        fake.conclude(fake.only(f"{kind.value}s"), "Completed" if kind is Kind.JOBSET else "Complete")
        assert cluster.ask(id)[0].state is State.DONE
        cluster.cancel(id)
        assert all(not held for held in fake.objects.values())


def test_what_cannot_be_created_takes_the_job_back(cluster: Cluster, fake: FakeKubernetes) -> None:
    fake.refused = {("create", "services")}
    with pytest.raises(WsbError, match="HTTP 403") as caught:
        submitted(cluster)
    assert "cannot create resource" in caught.value.details[0]
    assert all(not held for held in fake.objects.values())


def test_a_cluster_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with FakeKubernetes() as fake:
        path = fake.kubeconfig(tmp_path)
    with pytest.raises(WsbError, match="the cluster of context 'lab' does not answer") as caught:
        submitted(cluster_of("", {"KUBECONFIG": str(path)}))
    assert caught.value.code == "cluster-unreachable"


# --- kubeconfig ---


def test_a_token_from_a_program_is_asked_for(fake: FakeKubernetes, tmp_path: Path) -> None:
    program = tmp_path / "give-token"
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": TOKEN}}
    program.write_text(f'#!/bin/sh\n[ "$WHO" = ada ] && [ -n "$KUBERNETES_EXEC_INFO" ] && echo \'{json.dumps(answer)}\'\n')
    program.chmod(0o755)
    asked = {"command": str(program), "apiVersion": "client.authentication.k8s.io/v1", "env": [{"name": "WHO", "value": "ada"}]}
    path = fake.kubeconfig(tmp_path, exec=asked)
    assert cluster_of("", {"KUBECONFIG": str(path), "PATH": "/usr/bin:/bin"}).get("/version", "asking") is not None


def test_a_program_that_fails_is_quoted(fake: FakeKubernetes, tmp_path: Path) -> None:
    path = fake.kubeconfig(tmp_path, exec={"command": "no-such-login", "installHint": "install the cloud's login"})
    with pytest.raises(WsbError, match="no-such-login gave no credentials") as caught:
        kubeconfig.read({"KUBECONFIG": str(path)})
    assert caught.value.hints == ["install the cloud's login"]


def test_certificates_may_stand_in_the_file_itself(tmp_path: Path) -> None:
    data = base64.b64encode(b"PEM").decode()
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://k/", "certificate-authority-data": data}}],
        "users": [{"name": "u", "user": {"client-certificate-data": data, "client-key-data": data}}],
    }
    (tmp_path / "config").write_text(json.dumps(document))
    access = kubeconfig.read({"KUBECONFIG": str(tmp_path / "config")})
    assert (access.server, access.namespace) == ("https://k", "default")
    assert isinstance(access.ca, str)
    assert Path(access.ca).read_bytes() == b"PEM"
    assert access.certificate is not None
    assert Path(access.certificate[1]).stat().st_mode & 0o077 == 0


def test_the_first_of_several_files_wins(fake: FakeKubernetes, tmp_path: Path) -> None:
    path = fake.kubeconfig(tmp_path)
    (tmp_path / "other").write_text(
        "contexts: [{name: lab, context: {cluster: elsewhere}}, {name: two, context: {cluster: lab}}]\n"
    )
    environ = {"KUBECONFIG": f"{path}:{tmp_path / 'other'}:{tmp_path / 'absent'}"}
    assert kubeconfig.read(environ).server == fake.address
    assert kubeconfig.read(environ, "two").server == fake.address


def test_a_context_that_does_not_exist_names_those_that_do(fake: FakeKubernetes, tmp_path: Path) -> None:
    with pytest.raises(WsbError, match="no context is called 'lob'") as caught:
        kubeconfig.read({"KUBECONFIG": str(fake.kubeconfig(tmp_path))}, "lob")
    assert caught.value.details == ["there are: lab"]
    with pytest.raises(WsbError, match="there is no kubeconfig"):
        kubeconfig.read({"HOME": str(tmp_path)})


# --- doctor ---


def node(name: str, gpus: int, **labels: str) -> dict[str, Any]:
    allocatable = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    return {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": allocatable}}


def test_doctor_finds_a_cluster_in_order(cluster: Cluster, fake: FakeKubernetes) -> None:
    fake.nodes = [node("a", 8), node("b", 4), node("c", 0)]
    findings = doctor.examine(doctor.look(cluster, ""))
    assert all(finding.severity is Severity.INFO for finding in findings), findings
    assert any("2 nodes with 12 GPUs, 8 at most on one" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("change", "id", "said"),
    [
        (
            lambda fake: setattr(fake, "refused", {("create", "jobs"), ("get", "pods/log")}),
            "forbidden",
            "create jobs, get pods/log",
        ),
        (
            lambda fake: setattr(fake, "nodes", [node("a", 0, **{"nvidia.com/gpu.present": "true"})]),
            "no-device-plugin",
            "cards",
        ),
        (lambda fake: setattr(fake, "nodes", None), "nodes-hidden", "may not list nodes"),
        (lambda fake: setattr(fake, "version", "v1.20.2"), "old", "no Indexed Jobs"),
        (
            lambda fake: fake.collection("/api/v1/namespaces/research/resourcequotas").update(
                q={
                    "metadata": {"name": "q"},
                    "status": {"hard": {"requests.nvidia.com/gpu": "4"}, "used": {"requests.nvidia.com/gpu": "4"}},
                }
            ),
            "quota-full",
            "4 of 4 requests.nvidia.com/gpu used",
        ),
    ],
)
def test_doctor_says_what_is_missing(cluster: Cluster, fake: FakeKubernetes, change: Any, id: str, said: str) -> None:
    fake.nodes = [node("a", 8)]
    change(fake)
    found = [finding for finding in doctor.examine(doctor.look(cluster, "")) if finding.severity is not Severity.INFO]
    assert [finding.id for finding in found] == [id]
    assert said in found[0].message
    assert found[0].remedy


def test_doctor_tells_an_unreachable_cluster(tmp_path: Path) -> None:
    with FakeKubernetes() as fake:
        path = fake.kubeconfig(tmp_path)
    (finding,) = doctor.examine(doctor.look(cluster_of("", {"KUBECONFIG": str(path)}), ""))
    assert finding.severity is Severity.ERROR
