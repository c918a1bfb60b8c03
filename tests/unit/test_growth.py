"""An engine with hundreds of workspaces: how often it is asked, and that the work grows with their number and not its square.

Without a clock: calls are counted, and Python's own operations. `python -m tests.bench.growth` takes the seconds.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from click.testing import CliRunner

from builder import pipeline, surroundings
from builder.cli import common
from builder.cli.ls import command as ls
from builder.cli.ls import document
from builder.cli.prune import command as prune
from builder.cli.rm import command as rm
from builder.engine import images
from builder.launch.workspaces import Inventory
from builder.ui.workspaces_text import unused_lines, workspace_lines
from tests.bench.growth import OLD_EVERY, PREFIX, TORCHES, Made, made_by_wsb
from tests.fakes.engine import INFO, FakeEngine, Ran

SHARED = 1 + len(TORCHES)


def crowded(workspaces: int) -> FakeEngine:
    """An engine with so many, the images below them, and the old builds beside them."""
    engine = FakeEngine()
    for number, made in enumerate(made_by_wsb(range(workspaces))):
        engine.hold(made.tag or f"old-{number}", tags=made.tags, labels=made.labels, layers=made.layers)
    return engine


@pytest.fixture(params=[20, 200])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    found = crowded(request.param)
    monkeypatch.setattr(common, "connect", lambda: found)
    return found


def asked(engine: FakeEngine) -> Counter[str]:
    return Counter(method for method, _ in engine.asked)


def test_ls_asks_for_one_listing_however_many_there_are(engine: FakeEngine) -> None:
    ran = CliRunner().invoke(ls, ["--json"], catch_exceptions=False)
    assert len(json.loads(ran.stdout)["workspaces"]) == len([tag for tag in engine.held if tag.startswith(PREFIX)])
    assert asked(engine) == {"images": 1}


def test_prune_asks_for_one_listing_and_removes_each_unused_image_once(engine: FakeEngine) -> None:
    old = len([one for one in engine.held.values() if not one.tags])
    assert CliRunner().invoke(prune, ["--yes"], catch_exceptions=False).exit_code == 0
    assert asked(engine) == {"images": 1, "remove_image": old}


def test_rm_looks_before_and_after(engine: FakeEngine) -> None:
    assert CliRunner().invoke(rm, [f"{PREFIX}0001", f"{PREFIX}0002"], catch_exceptions=False).exit_code == 0
    assert asked(engine) == {"images": 2, "remove_image": 2}


def test_a_plan_for_an_engine_elsewhere_asks_for_names_only(engine: FakeEngine) -> None:
    engine.runs.append(Ran())
    surroundings.host_of(engine, replace(INFO, is_remote=True, endpoint="ssh://far"))
    assert asked(engine) == {"tags": 1, "run": 1}


def test_looking_for_what_is_there_already_asks_for_names_only(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_knock", lambda *_: {})
    (tmp_path / "wsb.yaml").write_text("name: growth\n")
    reach = pipeline.look_around(pipeline.read(tmp_path), {}, engine, probes=True)
    assert len(reach.local_images) == len([tag for one in engine.held.values() for tag in one.tags])
    assert asked(engine) == {"tags": 1}


# --- below the Protocol: what the SDK is asked -------------------------------------------------------------------------


class Api:
    """The SDK's client, as far as listing goes, counting what it is asked."""

    def __init__(self, made: list[Made]) -> None:
        self.asked: Counter[str] = Counter()
        self._made = {f"sha256:{number:064}": one for number, one in enumerate(made)}

    def images(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        self.asked["list"] += 1
        label = filters.get("label", "")
        return [
            {"Id": key, "RepoTags": list(one.tags) or ["<none>:<none>"], "Created": number}
            for number, (key, one) in enumerate(self._made.items())
            if not label or label in one.labels
        ]

    def inspect_image(self, image: str) -> dict[str, Any]:
        self.asked["inspect"] += 1
        one = self._made[image]
        return {"Id": image, "RepoTags": list(one.tags), "Config": {"Labels": dict(one.labels)}}


@pytest.mark.parametrize("workspaces", [20, 200])
def test_a_listing_costs_one_question_and_one_more_for_each_image(workspaces: int) -> None:
    made = list(made_by_wsb(range(workspaces)))
    api = Api(made)
    assert len(images.images(api, "")) == len(made) == SHARED + workspaces + workspaces // OLD_EVERY
    assert api.asked == {"list": 1, "inspect": len(made)}


@pytest.mark.parametrize("workspaces", [20, 200])
def test_names_cost_one_question_and_come_newest_first(workspaces: int) -> None:
    api = Api(list(made_by_wsb(range(workspaces))))
    names = images.tags(api, "dev.wsb.plan.digest")
    assert names == tuple(f"{PREFIX}{number:04}:latest" for number in reversed(range(workspaces)))
    assert api.asked == {"list": 1}


# --- what is made of a listing -----------------------------------------------------------------------------------------


def operations(work: Callable[[], object]) -> int:
    """How many of Python's instructions a piece of work takes."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda found: list(workspace_lines(found)), id="ls"),
        pytest.param(lambda found: document(found), id="ls --json"),
        pytest.param(lambda found: list(unused_lines(found.unused)), id="prune"),
    ],
)
def test_twice_as_many_workspaces_are_twice_the_work(work: Callable[[Inventory], object]) -> None:
    def taken(workspaces: int) -> int:
        inventory = Inventory(images=crowded(workspaces).images(""))
        return operations(lambda: work(inventory))

    few, more, most = taken(50), taken(100), taken(200)
    assert few > 1000
    assert (most - more) / (more - few) < 2.2  # 2 for work that grows with their number, 4 for work that grows with its square
