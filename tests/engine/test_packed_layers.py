"""How layers are packed and dated, on an engine that keeps images as registries do (the containerd image store)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from builder.engine.base import BuildRequest, ImageInfo
from builder.engine.buildx import BuildxEngine, BuildxOptions
from builder.errors import WsbError
from builder.sharing import push_as
from tests.engine.registries import beginning, manifest
from tests.engine.support import nothing, request
from tests.support.private_engine import PrivateEngine
from tests.support.registry import running_registry
from tests.support.remote_builder import remote_builder
from tests.support.tiny_image import tiny_image

pytestmark = pytest.mark.engine

NAME = "wsbtest-packed:1"


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with running_registry() as address:
        yield address


def engine_of(private: PrivateEngine, **options: Any) -> BuildxEngine:
    try:
        return BuildxEngine.found(private.environ, BuildxOptions(**options))
    except WsbError as error:
        pytest.skip(f"needs docker buildx: {error.message}")


def stage(base: str, target: str = "torch", **more: Any) -> BuildRequest:
    text = f"FROM {base} AS torch\nRUN seq 1 20000 > /one\nFROM torch\nRUN seq 1 90000 > /two\n"
    return replace(request(NAME, text), target=target, use_cache=False, **more)


def built(engine: BuildxEngine, asked: BuildRequest) -> ImageInfo:
    made = engine.build(asked, nothing)
    assert engine.image(NAME) == engine.image(made.id)
    return made


def pushed(engine: BuildxEngine, registry: str, made: ImageInfo) -> list[dict[str, Any]]:
    """The layers as the registry has them."""
    done = push_as(engine, made, f"{registry}/packed:1", nothing)
    layers: list[dict[str, Any]] = manifest(registry, "packed", done.digest)["layers"]
    return layers


def test_two_builds_of_a_dated_stage_are_the_same_image(packed_engine: PrivateEngine) -> None:
    engine = engine_of(packed_engine)
    assert engine.info().has_containerd_store
    base = tiny_image(engine)
    dated = stage(base, args={"SOURCE_DATE_EPOCH": "1735689600"}, labels={"a": "b"})
    one, other = built(engine, dated), built(engine, dated)
    assert one == replace(other, digests=one.digests)
    assert (one.created, one.labels["a"]) == ("2025-01-01T00:00:00Z", "b")
    # what no date is asked for keeps its own times: the same steps give other layers
    assert built(engine, stage(base)).layers[1:] != one.layers[1:]
    engine.remove_image(NAME)
    engine.close()


@pytest.mark.parametrize(
    ("compression", "media_type", "magic"),
    [("zstd", "tar+zstd", b"\x28\xb5\x2f\xfd"), ("gzip", "tar+gzip", b"\x1f\x8b"), ("estargz", "tar+gzip", b"\x1f\x8b")],
)
def test_every_layer_in_the_registry_is_packed_as_asked(
    packed_engine: PrivateEngine, registry: str, compression: str, media_type: str, magic: bytes
) -> None:
    """Those of the base too: the whole image is pulled at the speed that was asked for."""
    engine = engine_of(packed_engine, compression=compression, compression_level=3)
    made = built(engine, stage(tiny_image(engine), target=""))
    layers = pushed(engine, registry, made)
    assert [layer["mediaType"] for layer in layers] == [f"application/vnd.oci.image.layer.v1.{media_type}"] * 3
    is_lazy = ["containerd.io/snapshot/stargz/toc.digest" in layer.get("annotations", {}) for layer in layers]
    assert is_lazy == [compression == "estargz"] * 3
    for layer in layers:
        assert beginning(registry, "packed", layer["digest"], len(magic)) == magic
    engine.remove_image(NAME)
    engine.close()


def test_the_stage_that_others_stand_on_keeps_its_layers_however_they_are_packed(packed_engine: PrivateEngine) -> None:
    engine = engine_of(packed_engine, compression="estargz")
    base = tiny_image(engine)
    held = engine.image(base)
    assert held is not None
    assert built(engine, stage(base)).layers[:1] == held.layers
    assert built(engine, stage(base, target="")).layers[:1] != held.layers
    engine.remove_image(NAME)
    engine.close()


def test_a_builder_elsewhere_pushes_by_digest_what_it_packs_and_gives_it_a_name(
    packed_engine: PrivateEngine, registry: str
) -> None:
    """A builder of docker buildx's driver `remote`: the BuildKit in the engine, by a way on which buildx takes it for far."""
    near = engine_of(packed_engine)
    base = near.image(tiny_image(near))
    assert base is not None
    push_as(near, base, f"{registry}/base:1", nothing)
    near.close()
    with remote_builder(packed_engine) as name:
        engine = engine_of(packed_engine, builder=name, push_to=f"{registry}/far", compression="zstd")
        assert not engine.sees_images
        made = engine.build(stage(f"{registry}/base:1", target=""), nothing)
        assert engine.pushed == {f"{registry}/far": made.id}
        assert engine.name("latest", [made.id]) == f"{registry}/far:latest"
        engine.close()
    pushed = manifest(registry, "far", made.id)
    assert [layer["mediaType"].rpartition("+")[2] for layer in pushed["layers"]] == ["zstd"] * 3
    # one platform, and beside it nothing that tells when it was built
    assert [one["digest"] for one in manifest(registry, "far", "latest")["manifests"]] == [made.id]


def test_an_engine_with_unpacked_layers_says_that_it_is_one(cdi_engine: PrivateEngine) -> None:
    engine = engine_of(cdi_engine)
    assert engine.info().has_containerd_store is False
    engine.close()
