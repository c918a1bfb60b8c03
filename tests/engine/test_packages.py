"""Packages added, checked, listed and removed on a real engine, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import Ran, project, wsb

pytestmark = pytest.mark.engine

CONFIG = """\
name: wsbtest-packages
torch: '>=2.2'   # any
manager: venv
base: {bootstrap: bookworm}
ide: []
packages:
  pip: [tqdm]    # bars
"""
CODE = "import torch\nimport tqdm\nimport yaml\n\nprint(torch.__version__, yaml.__name__)\n"


@pytest.fixture(scope="module")
def built(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose code imports one package more than it declares, built once."""
    folder = project(tmp_path_factory.mktemp("packages") / "one", wsb_yaml=CONFIG, train_py=CODE)
    ran = wsb(folder, "build", "--fallback", "--no-test")
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture(autouse=True)
def _as_before(built: Path) -> None:
    (built / "wsb.yaml").write_text(CONFIG)


def kinds(ran: Ran) -> dict[str, str]:
    return {one["name"]: one["id"] for one in ran.document["findings"]}


def test_what_is_missing_is_found_added_and_there(built: Path) -> None:
    before = wsb(built, "check", "--json")
    assert before.code == 1, before.err
    assert before.document["against"] == "image"
    assert kinds(before) == {"yaml": "missing"}
    finding = before.document["findings"][0]
    assert finding["where"] == [{"file": "train.py", "line": 3, "column": 1}]
    assert finding["remedy"] == "wsb add pyyaml"

    added = wsb(built, "add", "yaml", "--json")
    assert added.code == 0, added.err
    assert added.document["built"] is True
    assert added.document["added"][0]["item"] == "PyYAML"
    assert (built / "wsb.yaml").read_text() == CONFIG.replace("[tqdm]  ", "[tqdm, PyYAML]  ")
    assert "on a torch image that was there already" in added.err

    assert wsb(built, "run", "--", "python", "train.py").out.strip().endswith("yaml")
    after = wsb(built, "check", "--json")
    assert (after.code, kinds(after)) == (0, {})


def test_what_is_installed_is_listed_with_who_asked_for_it(built: Path) -> None:
    packages = {one["name"]: one for one in wsb(built, "list", "--json").document["packages"]}
    assert packages["tqdm"]["asked"] is True
    assert packages["tqdm"]["where"] == {"file": "wsb.yaml", "line": 7, "column": 9}
    assert packages["torch"]["version"].startswith("2.")
    assert "torch" in packages["sympy"]["brought_by"]
    assert packages["sympy"]["asked"] is False


def test_a_build_that_fails_leaves_wsb_yaml_as_it_was(built: Path, engine: DockerEngine) -> None:
    image = engine.image("wsbtest-packages:latest")
    ran = wsb(built, "add", "--no-check", "no-such-package-of-wsb")
    assert ran.code == 5, ran.err
    assert "wsb.yaml is as it was before" in ran.err
    assert (built / "wsb.yaml").read_text() == CONFIG
    assert engine.image("wsbtest-packages:latest") == image


def test_a_workspace_is_listed_removed_and_its_torch_stays(built: Path, engine: DockerEngine) -> None:
    # a copy under another name, so that the other tests keep theirs
    copy = project(built.parent / "two", wsb_yaml=CONFIG.replace("wsbtest-packages", "wsbtest-packages-two"))
    assert wsb(copy, "build", "--fallback", "--no-test").code == 0
    listed = {one["name"]: one for one in wsb(copy, "ls", "--json").document["workspaces"]}
    two = listed["wsbtest-packages-two"]
    assert two["torch"].startswith("2.")
    assert two["shared"]["image"].startswith("wsb/torch:")
    assert two["shared"]["workspaces"] >= 2
    assert two["own_bytes"] < two["size_bytes"] // 10
    assert wsb(copy, "rm", "wsbtest-packages-two").code == 0
    assert engine.image("wsbtest-packages-two:latest") is None
    assert engine.image("wsbtest-packages:latest") is not None
    assert engine.image(two["shared"]["image"]) is not None


def test_a_workspace_that_a_container_uses_is_not_removed(built: Path, engine: DockerEngine) -> None:
    import docker

    client = docker.from_env()
    container = client.containers.create("wsbtest-packages:latest", ["true"])
    try:
        ran = wsb(built, "rm", "wsbtest-packages")
        assert ran.code == 4
        assert f"is in use by the container {container.id[:12]}" in ran.err
        assert engine.image("wsbtest-packages:latest") is not None
    finally:
        container.remove(force=True)
        client.close()


def test_a_run_that_fails_ends_with_the_command_that_mends_it(built: Path) -> None:
    ran = wsb(built, "run", "--", "python", "-c", "import einops")
    assert ran.code == 1
    assert "mend      wsb add einops" in ran.err
    ran = wsb(built, "run", "--", "python", "-c", "raise ImportError('libGL.so.1: cannot open shared object file')")
    assert "mend      wsb add --apt libgl1 libglib2.0-0" in ran.err


def test_what_prune_would_free_is_said_and_nothing_in_use_is_in_it(built: Path, engine: DockerEngine) -> None:
    ran = wsb(built, "prune", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["freed_bytes"] == 0
    image = engine.image("wsbtest-packages:latest")
    assert image is not None
    below = [one for one in engine.images("") if one.layers and one.layers == image.layers[: len(one.layers)]]
    assert {one["id"] for one in ran.document["unused"]}.isdisjoint({one.id for one in below})
