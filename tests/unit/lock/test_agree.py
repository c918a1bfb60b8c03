"""Whether a lock answers wsb.yaml, and what stays decided as it was locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import pipeline
from builder.errors import WsbError
from builder.lock.agree import disagreements, pinned
from builder.model.host import Gpu, Host
from builder.model.lock import Lock
from builder.model.project import EMPTY_PROJECT
from builder.model.values import ComputeCapability, DriverVersion
from tests.unit.lock.locks import HOST, WSB_YAML, locked, plan, spec

RTX_3090 = Host(
    os="linux",
    arch="x86_64",
    driver=DriverVersion.parse("550.54.15"),
    gpus=(Gpu(name="NVIDIA GeForce RTX 3090", compute_capability=ComputeCapability(8, 6), memory_mib=24576),),
)
OPEN = "name: one\nide: []\n"


def workspace(text: str) -> pipeline.Workspace:
    return pipeline.Workspace(directory=Path(), spec=spec(text), project=EMPTY_PROJECT, inputs_digest="")


def test_a_lock_answers_the_wsb_yaml_it_was_made_for() -> None:
    assert disagreements(plan(), locked()) == ()


def test_every_disagreement_is_named() -> None:
    text = WSB_YAML.replace("[tqdm]", "[einops]").replace("name: one", "name: two") + "user: {uid: 1234}\n"
    assert disagreements(plan(text), locked()) == (
        "name: now two, locked one",
        "packages.pip: asked for and not locked: einops; locked and no longer asked for: tqdm",
        "user: now dev, 1234, locked dev, 1000",
    )


def test_an_ide_that_needs_packages_is_a_disagreement() -> None:
    told = disagreements(plan(WSB_YAML.replace("ide: []", "ide: [pycharm]")), locked())
    assert len(told) == 1
    assert "libxtst6" in told[0]


def test_what_only_starts_a_container_is_none() -> None:
    assert disagreements(plan(WSB_YAML + "run: {ports: [8888]}\n"), locked()) == ()


def test_a_lock_made_beside_a_gpu_holds_where_there_is_none() -> None:
    made = plan(OPEN, RTX_3090)
    lock = Lock(version="1", platforms=(locked_of(made),))
    assert made.torch is not None
    assert made.torch.variant.cuda is not None
    taken, _ = pipeline.decide_locked(workspace(OPEN), HOST, lock)
    assert taken.digest == made.digest


def test_a_lock_for_cpu_holds_beside_a_gpu() -> None:
    lock = Lock(version="1", platforms=(locked_of(plan(OPEN)),))
    taken, _ = pipeline.decide_locked(workspace(OPEN), RTX_3090, lock)
    assert taken.torch is not None
    assert str(taken.torch.variant) == "cpu"


def test_what_wsb_yaml_says_itself_is_not_overruled_by_the_lock() -> None:
    lock = Lock(version="1", platforms=(locked_of(plan(OPEN)),))
    with pytest.raises(WsbError) as caught:
        pipeline.decide_locked(workspace(OPEN + 'torch: "2.4.0"\n'), HOST, lock)
    assert caught.value.code == "lock-outdated"
    assert any(line.startswith("torch: now 2.4.0+cpu") for line in caught.value.details)
    assert any("wsb lock" in hint for hint in caught.value.hints)


def test_a_platform_that_was_not_locked_is_named() -> None:
    arm = Host(os="linux", arch="aarch64", driver=None, gpus=())
    with pytest.raises(WsbError) as caught:
        pipeline.decide_locked(workspace(WSB_YAML), arm, Lock(version="1", platforms=(locked(),)))
    assert "linux/arm64" in caught.value.message
    assert "linux/amd64" in caught.value.message


def test_without_a_lock_the_next_step_is_named() -> None:
    with pytest.raises(WsbError) as caught:
        pipeline.decide_locked(workspace(WSB_YAML), HOST, None)
    assert any("wsb lock" in hint for hint in caught.value.hints)


def test_what_was_open_is_pinned_and_what_was_written_stays() -> None:
    after = pinned(spec('name: one\npython: "3.12.1"\ntorch: ">=2.2"\n'), locked_of(plan(OPEN)))
    assert after.python is not None
    assert str(after.python.value) == "3.12.1"
    assert after.torch is not None
    assert after.torch.value.version is not None
    assert after.torch.value.version.is_pinned


def locked_of(made: object) -> object:
    from dataclasses import replace

    from builder.lock.agree import asked_of

    return replace(locked(), plan=made.digest, asked=asked_of(made))  # type: ignore[attr-defined, arg-type]
