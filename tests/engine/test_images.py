"""Images of a real engine."""

from __future__ import annotations

import io
import secrets
import tarfile

import pytest

from builder.engine.base import (
    Event,
    LayerProgress,
)
from builder.engine.docker_sdk import DockerEngine
from builder.errors import WsbError
from tests.engine.support import built, nothing, request
from tests.support.registry import running_registry

pytestmark = pytest.mark.engine


def rootfs(**files: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    out.seek(0)
    return out


def test_a_root_file_system_becomes_an_image(engine: DockerEngine, name: str) -> None:
    changes = ["ENV LANG=C.UTF-8", "ENV A=1", "LABEL dev.wsb.test=import", 'CMD ["sh"]']
    made = engine.import_rootfs(rootfs(file=b"content"), name, changes)
    assert made.tags == (name,)
    assert made.labels == {"dev.wsb.test": "import"}
    assert set(made.env) >= {"LANG=C.UTF-8", "A=1"}
    assert engine.files_from_image(name, ["/file"]) == {"/file": b"content"}


def test_a_damaged_root_file_system_leaves_no_image(engine: DockerEngine, name: str) -> None:
    with pytest.raises(WsbError) as caught:
        engine.import_rootfs(io.BytesIO(b"no tar" * 1000), name, [])
    assert caught.value.code == "engine-refused"
    assert engine.image(name) is None


def test_files_of_an_image_are_read_without_starting_it(engine: DockerEngine, tiny: str, name: str) -> None:
    built(engine, request(name, f"FROM {tiny}\nRUN mkdir /d && echo x > /d/f && ln -s ../d/f /etc/l\n"))
    found = engine.files_from_image(name, ["/d/f", "/etc/l", "/absent", "/d"])
    assert found == {"/d/f": b"x\n", "/etc/l": b"x\n"}


def test_images_are_found_by_label_newest_first(engine: DockerEngine, tiny: str, name: str) -> None:
    second = name.replace(":1", ":2")
    try:
        for tag in (name, second):
            built(engine, request(tag, f"FROM {tiny}\nRUN echo {tag}\nLABEL {name.replace(':', '.')}=x\n"))
        found = engine.images(name.replace(":", "."))
        assert [one.tags for one in found] == [(second,), (name,)]
        assert engine.images(f"{name.replace(':', '.')}=y") == ()
        assert set(engine.tags(name.replace(":", "."))) == {name, second}  # of one second, perhaps: the order is not told
        assert {name, second, tiny} <= set(engine.tags(""))
    finally:
        engine.remove_image(second)


def test_an_image_can_have_another_name_and_lose_it(engine: DockerEngine, tiny: str, name: str) -> None:
    engine.tag(tiny, name)
    assert engine.image(name) == engine.image(tiny)
    engine.remove_image(name)
    engine.remove_image(name)
    assert engine.image(name) is None
    assert engine.image(tiny)


def test_an_image_is_pulled_from_a_registry_layer_by_layer(engine: DockerEngine) -> None:
    with running_registry() as address:
        name = f"{address}/wsbtest-engine/pulled:1"
        content = secrets.token_bytes(3 << 20)
        pushed = engine.import_rootfs(rootfs(file=content), name, ["LABEL a=1"])
        try:
            assert "errorDetail" not in engine._api.push(name)
            engine.remove_image(name)
            assert engine.image(name) is None
            events: list[Event] = []
            pulled = engine.pull(name, "", events.append)
            assert pulled.layers == pushed.layers
            layers = [event for event in events if isinstance(event, LayerProgress)]
            assert {layer.image for layer in layers} == {name}
            assert len({layer.layer for layer in layers}) == 1
            assert max(layer.total for layer in layers) > 3 << 20
            assert layers[-1].what == "Pull complete"
            with pytest.raises(WsbError) as caught:
                engine.pull(f"{address}/wsbtest-engine/absent:1", "", nothing)
            assert caught.value.code == "base-unreachable"
            assert f"from {address}" in caught.value.message
        finally:
            engine.remove_image(name)


def test_the_engine_says_what_it_is(engine: DockerEngine) -> None:
    info = engine.info()
    assert info.kind in ("docker", "podman")
    assert info.os == "linux"
    assert info.version
