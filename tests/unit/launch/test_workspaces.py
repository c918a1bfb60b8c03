"""Workspaces side by side: what they share, and what nobody uses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from builder.cli import common
from builder.cli.ls import command as ls
from builder.cli.prune import command as prune
from builder.cli.rm import command as rm
from builder.engine.base import ImageInfo
from builder.errors import Problems, WsbError
from builder.launch.workspaces import Inventory, matching
from tests.fakes.engine import FakeEngine

MB = 1 << 20
BASE, TORCH_16, TORCH_18 = ("base",), ("base", "os", "torch16"), ("base", "os", "torch18")


def workspace(engine: FakeEngine, name: str, below: tuple[str, ...], own_mb: int = 10, **more: Any) -> ImageInfo:
    labels = {"dev.wsb.plan.digest": "sha256:1", "dev.wsb.env": name.partition(":")[0], "dev.wsb.torch": "1.6.0+cu101"}
    labels |= {"dev.wsb.python": "3.8", "dev.wsb.manager": "miniconda", "dev.wsb.base": "debian:bookworm-slim"}
    size = sum({"base": 100, "os": 50, "torch16": 2000, "torch18": 3000}[layer] for layer in below) + own_mb
    tag = name if ":" in name else f"{name}:latest"
    found = {"labels": labels, "layers": (*below, f"own-{name}"), "size_bytes": size * MB}
    return engine.hold(tag, **{**found, **more})


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Project A on torch 1.6, B and C on 1.8, one old build of A, one torch and one base that nobody uses."""
    found = FakeEngine()
    found.hold("wsb/base:bookworm", layers=BASE, size_bytes=100 * MB, labels={"dev.wsb.suite": "bookworm"})
    found.hold("wsb/base:bullseye", layers=("older",), size_bytes=90 * MB, labels={"dev.wsb.suite": "bullseye"})
    found.hold("wsb/torch:1.6.0-cu101-py3.8-miniconda-aa", layers=TORCH_16, size_bytes=2150 * MB)
    found.hold("wsb/torch:1.8.1-cu111-py3.8-miniconda-bb", layers=TORCH_18, size_bytes=3150 * MB)
    found.hold("wsb/torch:2.0.0-cu118-py3.8-miniconda-cc", layers=(*BASE, "t20"), size_bytes=4100 * MB)
    workspace(found, "a", TORCH_16)
    workspace(found, "b", TORCH_18)
    workspace(found, "c", TORCH_18, 20)
    workspace(found, "a:old-build", TORCH_16, 7, tags=())
    found.hold("postgres:16", layers=("pg",), size_bytes=400 * MB)
    monkeypatch.setattr(common, "connect", lambda: found)
    return found


def inventory(engine: FakeEngine) -> Inventory:
    return Inventory(images=engine.images(""))


def test_two_projects_on_two_torches_stand_side_by_side(engine: FakeEngine) -> None:
    document = json.loads(CliRunner().invoke(ls, ["--json"], catch_exceptions=False).stdout)
    assert document["schema"] == "wsb.workspaces/1"
    assert [one["name"] for one in document["workspaces"]] == ["a", "b", "c"]
    a, b, _ = document["workspaces"]
    assert a["own_bytes"] == 10 * MB
    assert a["shared"] == {"image": "wsb/torch:1.6.0-cu101-py3.8-miniconda-aa", "bytes": 2150 * MB, "workspaces": 1}
    assert b["shared"]["workspaces"] == 2
    shared = {one["image"]: one["workspaces"] for one in document["shared"]}
    assert shared["wsb/torch:1.8.1-cu111-py3.8-miniconda-bb"] == ["b", "c"]
    # each shared byte once: bases, torches on them, and what each workspace adds
    assert document["disk_bytes"] == (100 + 90 + 2050 + 3050 + 4000 + 10 + 10 + 20 + 7) * MB
    assert engine.is_closed


def test_people_see_a_line_a_workspace(engine: FakeEngine) -> None:
    out = CliRunner().invoke(ls, [], catch_exceptions=False).stdout
    assert out.splitlines()[0].split() == ["NAME", "TORCH", "PYTHON", "MANAGER", "SIZE", "OWN", "BUILT"]
    assert "by b, c" in out
    assert "`wsb prune` frees it" in out


def test_what_an_ide_built_on_a_workspace_is_no_workspace_but_keeps_what_it_stands_on(engine: FakeEngine) -> None:
    workspace(engine, "a", TORCH_16, tags=("vsc-a-uid:latest",))
    del engine.held["a:latest"]
    workspace(engine, "vsc", TORCH_16, tags=("vsc-a-uid:latest",), labels={"dev.wsb.plan.digest": "x", "dev.wsb.env": "a"})
    found = inventory(engine)
    assert [one.name for one in found.workspaces] == ["b", "c"]
    assert "wsb/torch:1.6.0-cu101-py3.8-miniconda-aa" not in [one.reference for one in found.unused]


def test_only_what_nobody_uses_is_offered(engine: FakeEngine) -> None:
    unused = inventory(engine).unused
    assert [(one.kind, one.frees_bytes // MB) for one in unused] == [("old build", 7), ("torch", 4000), ("base", 90)]


def test_a_torch_that_equals_a_used_one_is_not_offered(engine: FakeEngine) -> None:
    engine.hold("wsb/torch:1.8.1-cu111-py3.8-miniconda-dd", layers=TORCH_18, size_bytes=3150 * MB)
    assert len(inventory(engine).unused) == 3


def test_a_torch_image_that_lost_its_name_is_known_by_its_bases_label(engine: FakeEngine) -> None:
    engine.hold("gone", tags=(), layers=(*BASE, "old"), size_bytes=500 * MB, labels={"dev.wsb.suite": "bookworm"})
    unused = inventory(engine).unused
    assert ("torch", 400) in [(one.kind, one.frees_bytes // MB) for one in unused]


TORCH_LABEL = {"dev.wsb.torch-image": "sha256:3"}


def test_a_torch_image_made_for_workspaces_to_come_is_listed_as_one_that_none_uses_yet(engine: FakeEngine) -> None:
    """What `wsb torch-image` made, or pulled: nothing takes it away unsaid."""
    name = "wsb/torch:2.1.0-cpu-py3.11-venv-ee"
    engine.hold(name, layers=(*BASE, "t21"), size_bytes=300 * MB, labels=TORCH_LABEL)
    ran = CliRunner().invoke(prune, ["--json"], catch_exceptions=False)
    assert f"torch: {name} (210 MB), on which no workspace stands" in ran.stderr.splitlines()
    assert [one["removed"] for one in json.loads(ran.stdout)["unused"] if one["image"] == name] == [False]
    assert engine.requests("remove_image") == []


def test_a_torch_image_that_a_workspace_came_to_use_is_in_no_list(engine: FakeEngine) -> None:
    name, layers = "wsb/torch:2.1.0-cpu-py3.11-venv-ee", (*BASE, "t21")
    engine.hold(name, layers=layers, size_bytes=300 * MB, labels=TORCH_LABEL)
    inherited = {**TORCH_LABEL, "dev.wsb.plan.digest": "sha256:1", "dev.wsb.env": "d"}
    engine.hold("d:latest", layers=(*layers, "own"), size_bytes=310 * MB, labels=inherited)
    found = inventory(engine)
    assert name not in [one.reference for one in found.unused]
    assert [one.below.tags for one in found.workspaces if one.name == "d" and one.below] == [(name,)]


def test_a_torch_image_made_anew_leaves_one_without_a_name_that_its_label_tells_whatever_its_base(engine: FakeEngine) -> None:
    old = engine.hold("gone", tags=(), layers=("debian", "os", "t21"), size_bytes=500 * MB, labels=TORCH_LABEL)
    assert [(one.kind, one.frees_bytes // MB) for one in inventory(engine).unused if one.image == old] == [("torch", 500)]


def test_prune_says_what_it_frees_and_removes_nothing_off_a_terminal(engine: FakeEngine) -> None:
    ran = CliRunner().invoke(prune, ["--json"], catch_exceptions=False)
    document = json.loads(ran.stdout)
    assert document["frees_bytes"] == 4097 * MB
    assert document["freed_bytes"] == 0
    assert engine.requests("remove_image") == []
    assert "together about 4.3 GB" in ran.stderr


def test_prune_with_yes_removes_upper_images_first(engine: FakeEngine) -> None:
    before = {one.name for one in inventory(engine).workspaces}
    ran = CliRunner().invoke(prune, ["--yes"], catch_exceptions=False)
    assert ran.exit_code == 0
    asked = engine.requests("remove_image")
    assert asked[1:] == ["wsb/torch:2.0.0-cu118-py3.8-miniconda-cc", "wsb/base:bullseye"]
    assert {one.name for one in inventory(engine).workspaces} == before


def test_an_image_that_a_container_uses_stays_and_is_said_so(engine: FakeEngine) -> None:
    engine.fail("remove_image", WsbError("engine-refused", "a container uses it"))
    ran = CliRunner().invoke(prune, ["--yes", "--json"], standalone_mode=False, catch_exceptions=False)
    assert ran.return_value == 1
    assert [one["removed"] for one in json.loads(ran.stdout)["unused"]] == [False, True, True]


def test_rm_takes_the_name_and_leaves_what_others_share(engine: FakeEngine) -> None:
    ran = CliRunner().invoke(rm, ["b", "--json"], catch_exceptions=False)
    assert engine.requests("remove_image") == ["b:latest"]
    assert "which 1 more uses, stays" in ran.stderr
    document = json.loads(ran.stdout)
    assert document["schema"] == "wsb.removed/1"
    assert document["removed"][0]["own_bytes"] == 10 * MB


def test_rm_removes_nothing_when_one_name_is_wrong(engine: FakeEngine) -> None:
    with pytest.raises(Problems) as caught:
        CliRunner().invoke(rm, ["a", "postgres:16", "bb"], catch_exceptions=False)
    told = [(error.message, error.hints) for error in caught.value.errors]
    assert told[0] == ("postgres:16 is an image that is no workspace of wsb", ("`docker rmi` removes it",))
    assert told[1][0] == "there is no workspace bb on this engine"
    assert engine.requests("remove_image") == []


def test_a_workspace_is_also_named_by_its_id(engine: FakeEngine) -> None:
    found = inventory(engine)
    digest = found.workspaces[0].image.id.removeprefix("sha256:")
    assert [one.name for one in matching(found, digest[:12])] == ["a"]
    assert matching(found, "abc") == ()


def test_hundreds_of_workspaces_take_one_listing_and_linear_work(engine: FakeEngine) -> None:
    for number in range(600):
        workspace(engine, f"p{number}", TORCH_18 if number % 2 else TORCH_16)
    engine.asked.clear()
    document = CliRunner().invoke(ls, ["--json"], catch_exceptions=False).stdout
    assert engine.asked == [("images", "")]
    assert len(document) < 600 * 800
    found = inventory(engine)
    assert len(found.workspaces) == 603
    assert sum(map(len, found.standing.values())) == 603


def test_an_empty_engine_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "connect", FakeEngine)
    assert "`wsb build` builds one" in CliRunner().invoke(ls, [], catch_exceptions=False).stdout
    assert "nothing to free" in CliRunner().invoke(prune, [], catch_exceptions=False).stderr
