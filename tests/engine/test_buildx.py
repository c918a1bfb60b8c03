"""docker buildx as the second engine: the same protocol, events and errors, and secrets, on a real buildx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from builder.engine.base import BuildFailed, StepFinished, StepOutput
from builder.engine.buildx import BuildxEngine, BuildxOptions
from builder.errors import WsbError
from tests.engine.support import built, finished, nothing, request
from tests.support.private_engine import PrivateEngine
from tests.support.tiny_image import tiny_image

pytestmark = pytest.mark.engine

NETWORK = "--mount=type=bind,source=.wsb/network,target=/run/wsb/network"


@pytest.fixture(scope="module")
def buildx(cdi_engine: PrivateEngine) -> Iterator[BuildxEngine]:
    try:
        found = BuildxEngine.found(cdi_engine.environ, BuildxOptions())
    except WsbError as error:
        pytest.skip(f"needs docker buildx: {error.message}")
    yield found
    found.close()


@pytest.fixture(scope="module")
def base(buildx: BuildxEngine) -> str:
    return tiny_image(buildx)


def test_an_image_is_built_tagged_and_told_step_by_step(buildx: BuildxEngine, base: str) -> None:
    events = built(buildx, request("wsbtest-buildx:1", f"FROM {base}\nCOPY a /a\nRUN echo hello; cat /a\n", a=b"content\n"))
    image = buildx.image("wsbtest-buildx:1")
    assert image is not None
    assert len(image.layers) == 3
    assert "hello\ncontent\n" in "".join(event.text for event in events if isinstance(event, StepOutput))
    assert any("RUN echo hello" in name for name in finished(events))
    assert all(event.seconds >= 0 for event in events if isinstance(event, StepFinished))
    buildx.remove_image("wsbtest-buildx:1")


def test_building_again_takes_the_steps_from_the_cache(buildx: BuildxEngine, base: str) -> None:
    again = request("wsbtest-buildx:2", f"FROM {base}\nRUN echo once > /once\n")
    built(buildx, again)
    assert any(event.is_cached for name, event in finished(built(buildx, again)).items() if "RUN" in name)
    buildx.remove_image("wsbtest-buildx:2")


def test_a_secret_is_there_while_a_step_runs_and_in_nothing_afterwards(buildx: BuildxEngine, base: str) -> None:
    text = f"FROM {base}\nRUN {NETWORK} cat /run/wsb/netrc | wc -c > /size\n"
    secret = b"machine index.example.org login a password Zk7-geheim\n"
    asked = replace(request("wsbtest-buildx:3", text, **{".wsb/network/env": b""}), secrets={"wsb-netrc": secret})
    buildx.build(asked, nothing)
    image = buildx.image("wsbtest-buildx:3")
    assert image is not None
    assert buildx.files_from_image(image.id, ["/size"])["/size"].split() == [str(len(secret)).encode()]
    assert "geheim" not in json.dumps([buildx._api.inspect_image(image.id), buildx._api.history(image.id)])
    rest = b""
    for piece in buildx.save(["wsbtest-buildx:3"]):
        assert b"geheim" not in rest + piece
        rest = piece[-16:]
    buildx.remove_image("wsbtest-buildx:3")


def test_a_step_that_fails_is_named_with_its_code_and_last_words(buildx: BuildxEngine, base: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        buildx.build(request("wsbtest-buildx:4", f"FROM {base}\nRUN echo why; exit 7\n"), nothing)
    assert caught.value.step_exit_code == 7
    assert "RUN echo why" in caught.value.step_name
    assert "why" in caught.value.details
    assert buildx.image("wsbtest-buildx:4") is None


def test_a_builder_that_is_not_there_is_said_so(cdi_engine: PrivateEngine, buildx: BuildxEngine) -> None:
    with pytest.raises(WsbError, match="no-such-builder"):
        BuildxEngine.found(cdi_engine.environ, BuildxOptions(builder="no-such-builder"))


def test_an_interrupt_ends_the_build_and_leaves_no_name(buildx: BuildxEngine, base: str) -> None:
    def interrupt(event: object) -> None:
        if isinstance(event, StepOutput) and "begun" in event.text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        buildx.build(request("wsbtest-buildx:5", f"FROM {base}\nRUN echo begun; sleep 600\n"), interrupt)
    assert buildx.image("wsbtest-buildx:5") is None
