"""`wsb submit`, `status`, `logs`, `cancel` and `export` as people type them, on an engine in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from builder.cli import common
from builder.cli.main import run, wsb
from builder.errors import WsbError
from tests.fakes.engine import FakeEngine
from tests.support.fake_kubernetes import FakeKubernetes
from tests.support.jobs import PLAN, PYTHON
from tests.support.programs import programs

DOCUMENT = {
    "name": "digits",
    "digest": PLAN,
    "torch": {"version": "2.6.0", "variant": "cu126"},
    "environment": {"python": PYTHON},
    "user": {"name": "dev", "uid": 1000},
    "run": {"shm_size": "16g", "env": {"FROM_YAML": "1"}},
}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    made = FakeEngine(files={"/opt/wsb/plan.json": json.dumps(DOCUMENT).encode(), "/opt/wsb/probes/job.py": b"#"})
    made.hold("digits:latest", labels={"dev.wsb.plan.digest": PLAN})
    monkeypatch.setattr(common, "connect", lambda: made)
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "digits"
    (folder / "deep").mkdir(parents=True)
    (folder / "wsb.yaml").write_text("name: digits\n")
    (folder / "train.py").write_text("print('hello')\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WSB_SHARED", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return folder


def typed(project: Path, *words: str) -> Result:
    return CliRunner().invoke(wsb, ["-C", str(project), *words], catch_exceptions=True)


SLURM = ("submit", "--on", "slurm", "--nodes", "2", "--gpus", "4", "--dry-run")


def test_a_dry_run_prints_the_script_and_writes_nothing(engine: FakeEngine, project: Path, tmp_path: Path) -> None:
    ran = typed(project / "deep", *SLURM, "-e", "LR=0.1", "-v", "/data:/data:ro", "--", "python", "../train.py", "--nodes", "9")
    assert ran.exit_code == 0, ran.exception
    assert ran.stdout.startswith("#!/bin/bash\n")
    for line in ("#SBATCH --nodes=2", "#SBATCH --gres=gpu:4", "export LR=0.1", "export FROM_YAML=1"):
        assert line in ran.stdout.splitlines()
    assert "--tasks 4" in ran.stdout
    assert "python ../train.py --nodes 9" in ran.stdout
    assert not (tmp_path / ".local").exists()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--namespace", "x", "--", "true"), "--namespace is for --on kubernetes"),
        (("--queue", "x", "--", "true"), "--queue is for --on kubernetes"),
        (("--", "torchrun", "train.py"), "must not begin with torchrun"),
        (("-v", "data:/data", "--", "true"), "is not /SOURCE:/TARGET"),
        (("-e", "NOT_SET_HERE", "--", "true"), "there is no such variable here"),
        (("-e", "1=2", "--", "true"), "neither NAME=VALUE nor NAME"),
        (("--sbatch", "a\nb", "--", "true"), "holds a line break"),
        ((), "Missing argument"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(
    engine: FakeEngine, project: Path, words: tuple[str, ...], said: str
) -> None:
    ran = typed(project, *SLURM, *words)
    assert ran.exit_code != 0
    assert said in f"{ran.output} {ran.exception}"


def test_mounts_of_wsb_yaml_go_along(engine: FakeEngine, project: Path, tmp_path: Path) -> None:
    run_part = {**DOCUMENT["run"], "mounts": ["data:/data:ro", "~/weights:/weights"]}  # type: ignore[dict-item]
    engine.files = {**engine.files, "/opt/wsb/plan.json": json.dumps({**DOCUMENT, "run": run_part}).encode()}
    script = typed(project, *SLURM, "--flavour", "pyxis", "--", "true").stdout
    mounts = f"{project}:/workspace,{project}/data:/data:ro,{tmp_path}/weights:/weights,"
    assert f"--container-mounts={mounts}" in script
    ran = typed(project, *KUBERNETES, "--dry-run", "--", "true")
    assert "are folders of this machine and stay here" in ran.stderr


def test_an_image_of_an_older_wsb_cannot_prove_a_job(engine: FakeEngine, project: Path) -> None:
    engine.files = {"/opt/wsb/plan.json": json.dumps(DOCUMENT).encode()}
    ran = typed(project, *SLURM, "--", "true")
    assert isinstance(ran.exception, WsbError)
    assert ran.exception.code == "image-missing"


def test_gpus_for_a_cpu_build_are_warned_of(engine: FakeEngine, project: Path) -> None:
    cpu = {**DOCUMENT, "torch": {"version": "2.6.0", "variant": "cpu"}}
    engine.files = {**engine.files, "/opt/wsb/plan.json": json.dumps(cpu).encode()}
    assert "torch in this image is a CPU build" in typed(project, *SLURM, "--", "true").stderr


def test_no_torch_means_no_torchrun(engine: FakeEngine, project: Path) -> None:
    without = {key: value for key, value in DOCUMENT.items() if key != "torch"}
    engine.files = {**engine.files, "/opt/wsb/plan.json": json.dumps(without).encode()}
    assert "has no torch" in str(typed(project, *SLURM, "--", "true").exception)
    assert typed(project, *SLURM, "--launcher", "none", "--", "true").exit_code == 0


# --- a Slurm of small programs ---

SCONTROL = 'echo "JobId=17 JobName=digits JobState=RUNNING Reason=None NodeList=n[1-2] ExitCode=0:0"'


def test_a_job_is_submitted_remembered_and_cancelled(
    engine: FakeEngine, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = tmp_path / "said"
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", sbatch="echo 17", scontrol=SCONTROL, scancel=f"echo $1 > {said}"))
    ran = typed(project, "submit", "--on", "slurm", "--shared", str(tmp_path / "shared"), "--", "python", "train.py")
    assert (ran.exit_code, ran.stdout) == (0, "17\n"), ran.exception
    (script,) = (tmp_path / "shared" / "jobs").glob("*/job.sh")
    (script.parent / "output-17.log").write_text("hello from the job\n")
    assert "17  digits on slurm: running on n[1-2]\n" in typed(project, "status").stdout
    document = json.loads(typed(project, "status", "17", "--json").stdout)
    assert (document["schema"], document["status"]["state"]) == ("wsb.job/1", "running")
    assert run(["logs"]) == 0
    assert capfd.readouterr().out == "hello from the job\n"
    assert "is being cancelled" in typed(project, "cancel", "17").stderr
    assert said.read_text() == "17\n"


def test_a_finished_job_is_followed_to_its_code(
    engine: FakeEngine, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    done = 'echo "JobId=17 JobName=digits JobState=FAILED Reason=NonZeroExitCode NodeList=n1 ExitCode=7:0"'
    sbatch = "echo 'what it prints' > output-17.log; echo 17"
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", sbatch=sbatch, scontrol=done))
    words = ["-C", str(project), "submit", "--on", "slurm", "--shared", str(tmp_path / "shared"), "--follow", "--", "true"]
    assert run(words) == 7
    printed = capfd.readouterr()
    assert printed.out == "what it prints\n"
    assert "job 17: failed: it ended with exit code 7" in printed.err


def test_without_slurm_the_way_to_one_is_named(engine: FakeEngine, project: Path, tmp_path: Path) -> None:
    ran = typed(project, "submit", "--on", "slurm", "--shared", str(tmp_path / "shared"), "--", "true")
    assert isinstance(ran.exception, WsbError)
    assert ran.exception.code in ("tool-missing", "cluster-unreachable", "cluster-refused")


# --- Kubernetes ---

KUBERNETES = ("submit", "--on", "kubernetes", "--image", "registry.example.org/digits:1", "--nodes", "2", "--gpus", "8")


def test_a_dry_run_for_kubernetes_needs_no_cluster(engine: FakeEngine, project: Path) -> None:
    ran = typed(project, *KUBERNETES, "--dry-run", "--", "python", "train.py")
    assert ran.exit_code == 0, ran.exception
    kinds = [one["kind"] for one in yaml.safe_load_all(ran.stdout)]
    assert kinds == ["Job", "Service", "ConfigMap"]


def test_nodes_must_be_able_to_pull_the_image(engine: FakeEngine, project: Path) -> None:
    ran = typed(project, "submit", "--on", "kubernetes", "--dry-run", "--", "true")
    assert isinstance(ran.exception, WsbError)
    assert "docker push" in ran.exception.hints[0]


def test_a_job_on_kubernetes_from_submit_to_cancel(
    engine: FakeEngine, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeKubernetes() as cluster:
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig(tmp_path)))
        ran = typed(project, *KUBERNETES, "--", "python", "train.py")
        assert ran.exit_code == 0, ran.exception
        id = ran.stdout.strip()
        assert id.startswith("job/research/digits-")
        assert "waiting" in typed(project, "status", id).stdout
        assert typed(project, "cancel", id).exit_code == 0
        assert all(not held for held in cluster.objects.values())
        assert "was deleted" in typed(project, "status", id).stdout


def test_doctor_examines_a_kubernetes(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with FakeKubernetes() as cluster:
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig(tmp_path)))
        cluster.refused = {("create", "jobs")}
        assert run(["-C", str(project), "doctor", "--on", "kubernetes", "--json"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert (found["schema"], found["on"]) == ("wsb.doctor/1", "kubernetes")
    assert "forbidden" in [finding["id"] for finding in found["findings"]]
