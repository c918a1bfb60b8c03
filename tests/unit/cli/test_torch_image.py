"""`wsb torch-image` as it is typed, on an engine in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from builder.cli import common
from builder.cli.build import command as build
from builder.cli.torch_image import command as torch_image
from builder.engine.base import BuildRequest, ImageInfo, Listener
from builder.engine.buildx import BuildxOptions
from builder.errors import WsbError
from tests.fakes.engine import INFO, FakeEngine
from tests.support.index import make_wheel

WSB = 'name: one\ntorch: "2.6.0"\naccelerator: cpu\n'


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    found = FakeEngine()
    monkeypatch.setattr(common, "connect", lambda: found)
    monkeypatch.setattr(common, "connect_buildx", lambda _: found)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return found


def ran(folder: Path, *words: str, text: str = WSB, verb: click.Command = torch_image) -> Result:
    (folder / "wsb.yaml").write_text(text)
    return CliRunner().invoke(verb, list(words), obj=str(folder), catch_exceptions=False)


def test_it_prints_the_name_that_wsb_build_will_look_for(engine: FakeEngine, tmp_path: Path) -> None:
    first = ran(tmp_path)
    assert first.stdout.startswith("wsb/torch:2.6.0-cpu-py3.")
    assert first.stdout.strip() in engine.held
    assert ran(tmp_path).stdout == first.stdout
    assert len(engine.requests("build")) == 1
    told = json.loads(ran(tmp_path, "--json", "--no-test", verb=build).stdout)
    assert told["torch_image"] == first.stdout.strip()
    assert len(engine.requests("build")) == 2


def test_it_is_pushed_under_its_own_name_below_the_registry(engine: FakeEngine, tmp_path: Path) -> None:
    pushed = ran(tmp_path, "--push", "registry.example.org/lab/")
    name = next(tag for tag in engine.held if tag.startswith("wsb/torch:"))
    reference, _, digest = pushed.stdout.strip().partition("@")
    assert reference == f"registry.example.org/lab/{name}"
    assert digest.startswith("sha256:")
    assert engine.requests("push") == [reference]
    assert reference not in engine.held
    document = json.loads(ran(tmp_path, "--push", "registry.example.org/lab", "--json").stdout)
    assert (document["schema"], document["image"], document["built"]) == ("wsb.torch-image/1", name, False)
    assert document["pushed"]["reference"] == reference


def test_a_project_without_torch_is_said_so(engine: FakeEngine, tmp_path: Path) -> None:
    with pytest.raises(WsbError) as caught:
        ran(tmp_path, text="name: one\ntorch: none\n")
    assert (caught.value.code, caught.value.message) == ("bad-value", "one has no torch, so there is no torch image to share")
    assert engine.requests("build") == []


def test_a_builder_with_a_store_of_its_own_is_refused_before_it_builds(engine: FakeEngine, tmp_path: Path) -> None:
    engine.sees_images = False
    with pytest.raises(WsbError) as caught:
        ran(tmp_path, "--builder", "far", "--push", "registry.example.org")
    assert "the builder far has a store of its own" in caught.value.message
    assert engine.is_closed


@pytest.mark.parametrize(
    ("verb", "ways"),
    [
        (build, ("docker buildx create --name NAME --bootstrap", "containerd-snapshotter")),
        (torch_image, ("containerd-snapshotter",)),
    ],
)
def test_an_engine_that_pushes_gzip_says_who_can_pack_otherwise(
    engine: FakeEngine, tmp_path: Path, verb: click.Command, ways: tuple[str, ...]
) -> None:
    with pytest.raises(WsbError) as caught:
        ran(tmp_path, "--push", "registry.example.org", "--compression", "zstd", verb=verb)
    assert caught.value.code == "tool-missing"
    assert "cannot pack layers with zstd" in caught.value.message
    assert len(caught.value.hints) == len(ways)
    assert all(way in hint for way, hint in zip(ways, caught.value.hints, strict=True))
    assert engine.requests("build") == []


def test_one_that_is_here_already_is_packed_anew_before_it_is_pushed(engine: FakeEngine, tmp_path: Path) -> None:
    name = ran(tmp_path).stdout.strip()
    engine.engine_info = replace(INFO, has_containerd_store=True)
    ran(tmp_path, "--push", "registry.example.org", "--compression", "zstd")
    assert len(engine.requests("build")) == 2
    assert f"FROM {name}\n".encode() in engine.built[name]


@pytest.mark.parametrize(
    "words",
    [
        ("--compression", "zstd"),
        ("--compression-level", "3", "--push", "x"),
        ("--compression", "gzip", "--compression-level", "10", "--push", "x"),
        ("--compression", "lzma", "--push", "x"),
        ("--compression", "estargz", "--push", "x"),
    ],
)
def test_what_makes_no_sense_together_is_a_mistake_in_typing(
    engine: FakeEngine, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert ran(tmp_path, *words).exit_code == 2


def test_packing_is_handed_to_buildx_as_its_exporters_take_it() -> None:
    assert BuildxOptions().packing == ""
    assert (
        BuildxOptions(compression="zstd", compression_level=0).packing
        == ",compression=zstd,compression-level=0,force-compression=true,oci-mediatypes=true"
    )
    assert BuildxOptions(compression="estargz").packing == ",compression=estargz,force-compression=true,oci-mediatypes=true"


class Elsewhere(FakeEngine):
    """A builder with a store of its own, which pushes."""

    def __init__(self) -> None:
        super().__init__(sees_images=False)
        self.pushed: dict[str, str] = {}

    def build(self, request: BuildRequest, listener: Listener) -> ImageInfo:
        self.pushed["registry.example.org/one"] = "sha256:1"
        return super().build(request, listener)

    def name(self, tag: str, digests: Sequence[str]) -> str:
        return f"registry.example.org/one:{tag}"


def test_a_builder_elsewhere_gets_the_plan_that_the_engine_would(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: FakeEngine
) -> None:
    """With the wheels of this machine, and warnings and left-out options told."""
    elsewhere = Elsewhere()
    monkeypatch.setattr(common, "connect_buildx", lambda _: elsewhere)
    (tmp_path / "wheels").mkdir()
    make_wheel(tmp_path / "wheels", "torch", "2.12.0+cpu", tag="cp311-cp311-manylinux_2_28_x86_64")
    text = "name: one\ntorch: '2.12'\naccelerator: cpu\nsources: {torch: ./wheels}\n"
    words = ("--builder", "far", "--push", "registry.example.org", "--pull-first", "registry.example.org")
    done = ran(tmp_path, *words, text=text, verb=build)
    assert done.stdout == "registry.example.org/one:latest\n"
    assert "--pull-first is left out" in done.stderr
    assert b"--find-links /run/wsb/wheels" in elsewhere.built["one:latest"]
    assert b"wheels/torch-2.12.0+cpu-cp311" in elsewhere.built["one:latest"]
