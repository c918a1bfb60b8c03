"""A workspace on a real Slurm of two nodes: sent there, proved inside the job, followed, cancelled, and what goes wrong.

The GPUs are device files that compute nothing and torch is a CPU build, so what is shown here is the way: allocation,
containers, rendezvous, proof, exit codes. No GPU works because of these tests.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import WSB, Ran, project, wsb
from tests.support import slurm
from tests.support.polling import eventually
from tests.support.sshd import SshServer

pytestmark = pytest.mark.engine

REPOSITORY = Path(__file__).parents[2]
NAME = "wsbtest-slurm"
YAML = f"""
name: {NAME}
torch: '>=2.2'
manager: venv
base: {{bootstrap: bookworm}}
ide: []
requirements: [requirements.txt]
"""

# what a user's program does: says who it is, and one of them fails
RANKS = """
import os, sys
import torch, torch.distributed as dist
dist.init_process_group("gloo")
rank = dist.get_rank()
total = torch.tensor([float(rank + 1)])
dist.all_reduce(total)
who = f"rank {rank} of {dist.get_world_size()} on {os.uname().nodename}"
print(f"{who}: {total.item():.0f}, {os.environ['GREETING']}", flush=True)
dist.barrier()
dist.destroy_process_group()
sys.exit(7 if rank == 3 else 0)
"""


class Login:
    """The wsb command as the cluster's ordinary user types it in the project's folder."""

    def __init__(self, cluster: slurm.Cluster, project: Path) -> None:
        self.cluster = cluster
        self.project = project

    def wsb(self, *words: str) -> Ran:
        environment = {**self.cluster.environment(), "PYTHONPATH": str(REPOSITORY)}
        command = [*self.cluster.user_prefix(), "env", "-C", str(self.project), *WSB, *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    def submit(self, *words: str) -> str:
        ran = self.wsb("submit", "--on", "slurm", *words)
        assert ran.code == 0, ran.err
        return ran.out.strip()

    def status(self, id: str) -> dict[str, object]:
        found = self.wsb("status", id, "--json").document["status"]
        assert isinstance(found, dict)
        return found

    def state(self, id: str) -> object:
        return self.status(id)["state"]


@pytest.fixture(scope="module")
def cluster(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Cluster]:
    slurm.ensure_installed()
    # not below pytest's own folder, which nobody else may look into
    folder = Path(tmp_path_factory.mktemp("slurm").name)
    started = slurm.Cluster(Path("/tmp") / f"wsb-{folder}")
    started.start()
    yield started
    started.stop()
    shutil.rmtree(started.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def login(cluster: slurm.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Login:
    """The example as the user's own project on the shared disk, built once; its image is exported by the first job."""
    home = cluster.home / "project"
    shutil.copytree(REPOSITORY / "examples" / "digits", home, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (home / "wsb.yaml").write_text(YAML)
    (home / "ranks.py").write_text(RANKS)
    built = wsb(home, "build", "--fallback", "--no-test", XDG_STATE_HOME=str(tmp_path_factory.mktemp("state")))
    assert built.code == 0, built.err
    cluster.inside("chown", "-R", f"{slurm.UID}:{slurm.UID}", str(home))
    return Login(cluster, home)


def test_a_command_runs_as_four_ranks_on_two_nodes_after_its_proof(login: Login) -> None:
    words = ["--nodes", "2", "--gpus", "2", "--env", "GREETING=it's me", "--follow", "--", "python", "ranks.py"]
    ran = login.wsb("submit", "--on", "slurm", *words)
    nodes = list(slurm.NODES)
    for node in nodes:
        assert f"wsb: {node}: the image is right, 2 GPUs given" in ran.out, ran.err
    assert "all_reduce over 4 ranks gave 6, which is right" in ran.out
    assert "wiring pass, compute not run" in ran.out
    for rank in range(4):
        assert f"rank {rank} of 4 on {nodes[rank // 2]}: 10, it's me\n" in ran.out
    # the command's own exit code, though another node was only ended because of it
    assert ran.code == 7, ran.out + ran.err
    assert "it ended with exit code 7" in ran.err
    assert login.cluster.user_processes() == []


def test_the_example_learns_on_two_nodes_as_well_as_on_one_machine(login: Login) -> None:
    train = ["--", "python", "train.py", "--epochs", "8"]
    alone = login.wsb("run", *train)
    words = ["--nodes", "2", "--gpus", "2", "--follow", "--json", *train, "--workers", "0"]
    together = login.wsb("submit", "--on", "slurm", *words)
    assert alone.code == together.code == 0, alone.err + together.err
    assert "4 processes" in together.err
    assert accuracy(alone.out) > 0.94
    assert accuracy(together.err) > 0.94
    assert abs(accuracy(together.err) - accuracy(alone.out)) < 0.03
    assert together.document["status"] == {"state": "done", "exit_code": 0, "nodes": "wsbn[1-2]"}


def accuracy(output: str) -> float:
    found = re.search(r"test accuracy ([\d.]+) on 360 images", output)
    assert found, output
    return float(found[1])


def test_a_cluster_is_examined_and_proved(login: Login) -> None:
    examined = login.wsb("doctor", "--on", "slurm", "--json")
    assert examined.code == 0, examined.out
    found = {finding["id"]: finding["message"] for finding in examined.document["findings"]}
    assert found["oci-conf"] == "oci.conf starts containers with runc: `--flavour oci`"
    assert "2 nodes of gpu with gpu:2" in found["gpus"]
    proved = login.wsb("test", "--on", "slurm", "--nodes", "2", "--gpus", "1", "--json")
    assert proved.code == 0, proved.err
    assert proved.document["device"] == "mock"
    checks = {check["id"]: (check["status"], check["measured"]) for check in proved.document["checks"]}
    assert checks["job.image"] == ("pass", "2 of 2 nodes run this image")
    assert checks["job.all_reduce"] == ("pass", "over 2 ranks: 1")
    assert checks["job.compute"][0] == "skip"


def test_a_cancelled_job_leaves_nothing_running(login: Login) -> None:
    # a command that ignores being asked, in a session of its own
    stubborn = "trap '' TERM; setsid sleep 600 & echo started; while :; do sleep 1; done"
    id = login.submit("--nodes", "2", "--gpus", "1", "--launcher", "none", "--", "sh", "-c", stubborn)
    eventually(lambda: login.wsb("logs", id).out.count("started") == 2, "both nodes run", 60)
    assert any("sleep 600" in line for line in login.cluster.user_processes())
    assert login.wsb("cancel", id).code == 0
    eventually(lambda: login.cluster.user_processes() == [], "no process of the user is left", 15)
    eventually(lambda: login.cluster.jobs() == [], "the queue is empty", 15)
    assert login.state(id) == "cancelled"
    assert "has ended already" in login.wsb("cancel", id).err


def test_a_second_job_waits_behind_the_first(login: Login) -> None:
    first = login.submit("--nodes", "2", "--gpus", "2", "--launcher", "none", "--", "sleep", "600")
    eventually(lambda: login.state(first) == "running", "the first job runs")
    second = login.submit("--nodes", "1", "--gpus", "1", "--launcher", "none", "--", "echo", "second")
    waiting = login.status(second)
    assert waiting["state"] == "waiting"
    assert waiting.get("reason", "") in ("", "it is the next, and waits until enough nodes are free")
    assert "waiting" in login.wsb("status").out
    assert login.wsb("cancel", first).code == 0
    followed = login.wsb("logs", "--follow", second)
    assert followed.code == 0, followed.err
    assert "second\n" in followed.out


def test_a_slurm_that_ignores_containers_is_found_out(login: Login) -> None:
    login.cluster.oci_conf.unlink()
    login.cluster.restart_nodes()
    try:
        ran = login.wsb("submit", "--on", "slurm", "--launcher", "none", "--follow", "--", "echo", "on the bare host")
    finally:
        login.cluster.write_oci_conf()
        login.cluster.restart_nodes()
    assert ran.code == 97, ran.err
    assert "it ignores --container where it has no oci.conf (on wsbn1)" in ran.out
    assert "failed: proof failed: Slurm started no container" in ran.err
    assert "on the bare host\n" not in ran.out


def test_fewer_gpus_than_asked_for_fail_the_proof(login: Login) -> None:
    # the user's own script lies about what it asked for
    text = login.wsb("submit", "--on", "slurm", "--gpus", "2", "--launcher", "none", "--dry-run", "--", "echo", "never").out
    script = login.project / "lies.sh"
    script.write_text(text.replace("--gres=gpu:2", "--gres=gpu:1").replace("output-%j.log", "lies.log"))
    folder = re.search(r"files=(\S+)", text)
    assert folder
    done = subprocess.run(
        [*login.cluster.user_prefix(), "sh", "-c", f"mkdir -p {folder[1]} && sbatch --wait --parsable {script}"],
        capture_output=True,
        text=True,
        env=login.cluster.environment(),
        check=False,
    )
    printed = (Path(folder[1]) / "lies.log").read_text()
    assert done.returncode == 97, done.stderr + printed
    assert "proof failed: 2 GPUs were asked for, and 1 are given here (on wsbn1)" in printed
    assert "never" not in printed


def test_another_image_in_the_same_place_fails_the_proof(login: Login) -> None:
    text = login.wsb("submit", "--on", "slurm", "--launcher", "none", "--dry-run", "--", "echo", "never").out
    bundle = re.search(r"bundle=(\S+)", text)
    assert bundle
    mark = Path(bundle[1]) / "rootfs" / "opt" / "wsb" / "image-id"
    right = mark.read_text()
    mark.write_text("sha256:0000\n")
    try:
        ran = login.wsb("submit", "--on", "slurm", "--launcher", "none", "--follow", "--", "echo", "never")
    finally:
        mark.write_text(right)
    assert ran.code == 97
    assert "never\n" not in ran.out


def test_what_slurm_refuses_is_said_with_a_remedy(login: Login) -> None:
    too_many = login.wsb("submit", "--on", "slurm", "--gpus", "9", "--", "true")
    assert too_many.code == 4
    assert "no node has that many GPUs" in too_many.err
    nowhere = login.wsb("submit", "--on", "slurm", "--partition", "fast", "--", "true")
    assert nowhere.code == 4
    assert "`sinfo -s` lists the partitions" in nowhere.err
    assert login.wsb("status", "999").code == 2


def test_a_job_is_sent_to_a_login_node_over_ssh(cluster: slurm.Cluster, engine: DockerEngine, tmp_path: Path) -> None:
    """From a machine that has the engine and the project, to one that has Slurm and neither."""
    server = SshServer(cluster.folder / "ssh", user=slurm.USER, prefix=cluster.enter())
    server.start()
    (cluster.home / ".bash_profile").write_text(f"echo modules loaded\nexport SLURM_CONF={cluster.folder}/slurm.conf\n")
    yaml = "name: wsbtest-sent\ntorch: none\nmanager: venv\nbase: {bootstrap: bookworm}\nide: []\n"
    folder = project(tmp_path / "sent", wsb_yaml=yaml, say_py="print(7)\n")
    built = wsb(folder, "build", "--fallback", "--no-test")
    assert built.code == 0, built.err
    words = ["submit", "--on", "slurm", "--host", "login", "--launcher", "none", "--nodes", "2", "--follow", "--"]
    ran = wsb(folder, *words, "sh", "-c", "python say.py; id -u; exit 3", PATH=server.path())
    assert ran.code == 3, ran.err
    # at least from one node: the first that fails ends the other, which may not have come so far
    assert {"7", "0"} <= set(ran.out.splitlines())
    sent = cluster.home / ".local" / "share" / "wsb" / "projects" / "wsbtest-sent" / "say.py"
    assert sent.stat().st_uid == slurm.UID
    assert "wsbtest-sent on login: failed" in wsb(folder, "status", PATH=server.path()).out


def test_a_node_that_dies_fails_the_job_with_its_name(login: Login) -> None:
    id = login.submit("--nodes", "2", "--gpus", "1", "--launcher", "none", "--", "sleep", "600")
    eventually(lambda: login.state(id) == "running", "the job runs")
    login.cluster.kill_node("wsbn2")
    try:
        eventually(lambda: login.state(id) == "failed", "the death is noticed", 90)
        status = login.status(id)
        assert str(status["reason"]).startswith("a node died: wsbn2"), json.dumps(status)
        followed = login.wsb("logs", "--follow", id)
        assert followed.code == 1
        assert "a node died: wsbn2" in followed.err
    finally:
        login.cluster.start_node("wsbn2")
