"""From a folder to a proved workspace, through the command line, on a real engine: the way of a machine without a registry."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import Ran, prefixes, project, wsb

pytestmark = pytest.mark.engine

ONE = "name: wsbtest-one\ntorch: '>=2.2'\nmanager: venv\nbase: {bootstrap: bookworm}\nide: []\npackages: {pip: [tqdm]}\n"


@pytest.fixture(scope="module")
def one(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project, built once for this module."""
    folder = project(tmp_path_factory.mktemp("workspaces") / "one", wsb_yaml=ONE, hello_py="print('hello')\n")
    built = wsb(folder, "build", "--fallback", "--json")
    assert built.code == 0, built.err
    return folder


def steps(ran: Ran) -> dict[str, bool]:
    """Step name → whether it came from the cache."""
    return {step["name"]: step["cached"] for step in ran.document["steps"]}


def test_the_image_is_what_was_planned(one: Path) -> None:
    report = wsb(one, "test", "--quick", "--json")
    assert report.code == 0, report.out
    assert report.document["schema"] == "wsb.report/1"
    assert report.document["device"] == "none"
    assert report.document["summary"]["fail"] == 0
    assert {"torch.version", "environment.prefix", "compute.autograd"} <= {c["id"] for c in report.document["checks"]}


@pytest.mark.parametrize("user", ["dev", "root"])
def test_the_environment_is_active_however_one_enters(one: Path, user: str) -> None:
    assert set(prefixes("wsbtest-one:latest", user).values()) == {"/opt/venv/wsbtest-one"}


def test_the_exit_code_of_the_command_is_wsbs_own(one: Path) -> None:
    assert wsb(one, "run", "--", "sh", "-c", "exit 7").code == 7
    assert wsb(one, "run", "--", "no-such-program").code == 127


def test_a_failure_that_is_known_is_explained_behind_the_output(one: Path) -> None:
    ran = wsb(one, "run", "--", "python", "-c", "print('out'); import cv2")
    assert (ran.code, ran.out) == (1, "out\n")
    output, explained, _ = ran.err.partition("wsb knows this failure: ModuleNotFoundError: No module named 'cv2'\n")
    assert output.rstrip().endswith("ModuleNotFoundError: No module named 'cv2'")
    assert explained
    assert "wsb knows" not in wsb(one, "run", "--", "python", "-c", "raise ValueError('of mine')").err


def test_standard_input_and_output_go_straight_through(one: Path) -> None:
    ran = wsb(one, "run", "--", "cat", stdin="a line\n")
    assert (ran.code, ran.out) == (0, "a line\n")


def test_a_file_written_in_the_workspace_belongs_to_whoever_ran_wsb(one: Path) -> None:
    assert wsb(one, "run", "--", "sh", "-c", "echo x > written").code == 0
    assert (one / "written").stat().st_uid == os.getuid()


def test_a_command_runs_in_the_folder_it_was_started_in(one: Path) -> None:
    below = one / "deep" / "er"
    below.mkdir(parents=True, exist_ok=True)
    assert wsb(below, "run", "--", "pwd").out == "/workspace/deep/er\n"


def test_building_again_changes_nothing_and_asks_nothing(one: Path, engine: DockerEngine) -> None:
    before = engine.image("wsbtest-one:latest")
    again = wsb(one, "build", "--fallback", "--json")
    after = engine.image("wsbtest-one:latest")
    assert again.code == 0
    assert before is not None
    assert after is not None
    assert before.id == after.id
    assert all(cached for name, cached in steps(again).items() if "RUN" in name or "COPY" in name)
    assert "report" not in again.document


def test_one_package_more_reuses_torch(one: Path) -> None:
    first = wsb(one, "build", "--fallback", "--json")
    # a version that never was, other in each run: the engine may hold the step of an earlier run
    (one / "wsb.yaml").write_text(ONE.replace("[tqdm]", f"[tqdm, 'einops!=999.{secrets.randbits(40)}']"))
    try:
        more = wsb(one, "build", "--fallback", "--json")
        assert more.code == 0, more.err
        assert more.document["torch_image"] == first.document["torch_image"]
        ran = [name for name, cached in steps(more).items() if "RUN" in name and not cached]
        # what there is to install is found out anew; what is large stays, and another run's layer of einops is as good as ours
        assert "[chosen " in ran[0], ran
        assert all("source=/wsb-chosen/small" in name or "[chosen " in name for name in ran), ran
        assert wsb(one, "run", "--", "python", "-c", "import einops, torch").code == 0
    finally:
        (one / "wsb.yaml").write_text(ONE)


def test_two_projects_share_every_layer_up_to_torch(one: Path, engine: DockerEngine) -> None:
    text = ONE.replace("wsbtest-one", "wsbtest-two").replace("[tqdm]", "[einops, packaging]")
    two = project(one.parent / "two", wsb_yaml=text)
    built = wsb(two, "build", "--fallback", "--json", "--no-test")
    assert built.code == 0, built.err
    torch = engine.image(built.document["torch_image"])
    first, second = engine.image("wsbtest-one:latest"), engine.image("wsbtest-two:latest")
    assert torch is not None
    assert first is not None
    assert second is not None
    count = len(torch.layers)
    assert count >= 4
    assert first.layers[:count] == second.layers[:count] == torch.layers


def test_a_package_that_does_not_exist_fails_with_its_place(one: Path, engine: DockerEngine) -> None:
    text = ONE.replace("wsbtest-one", "wsbtest-broken").replace("[tqdm]", "[no-such-package-of-wsb]")
    broken = project(one.parent / "broken", wsb_yaml=text)
    ran = wsb(broken, "build", "--fallback")
    assert ran.code == 5, ran.err
    assert "no-such-package-of-wsb" in ran.err
    assert "layers/75-packages.j2" in ran.err
    assert "--> Dockerfile:" in ran.err
    assert "the whole log: " in ran.err
    assert "hint: known as no-matching-distribution: " in ran.err
    assert engine.image("wsbtest-broken:latest") is None
    assert sorted(path.name for path in broken.iterdir()) == ["wsb.yaml"]


def test_the_labels_tell_what_the_image_is(one: Path, engine: DockerEngine) -> None:
    image = engine.image("wsbtest-one:latest")
    assert image is not None
    assert image.labels["dev.wsb.manager"] == "venv"
    assert image.labels["dev.wsb.env"] == "wsbtest-one"
    assert image.labels["dev.wsb.torch"].startswith("2.")
    assert image.labels["dev.wsb.plan.digest"].startswith("sha256:")
    assert image.user == "dev"


def test_what_a_download_needs_does_not_stay_in_the_image(one: Path) -> None:
    ran = wsb(one, "run", "--", "sh", "-c", "env; ls -A /run/wsb/network /root/.cache /opt/wsb/uv 2>/dev/null; true")
    assert "SSL_CERT_FILE" not in ran.out
    assert "ca.pem" not in ran.out


def test_without_an_engine_the_causes_are_named() -> None:
    folder = Path(__file__).parents[2] / "examples" / "digits"
    ran = wsb(folder, "run", "--", "true", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert ran.code == 4
    assert "hint:" in ran.err


def test_an_image_that_is_not_built_is_said_so(engine: DockerEngine, tmp_path: Path) -> None:
    ran = wsb(project(tmp_path / "p", wsb_yaml="name: wsbtest-nothing\n"), "run", "--", "true")
    assert ran.code == 4
    assert "wsb build" in ran.err
