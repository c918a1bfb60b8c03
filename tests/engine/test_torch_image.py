"""One torch for many machines: made once, pushed, taken from the registry by its name and content; on a real engine.

torch itself is a stand-in of a few kilobytes: what is shown here are names, layers and steps, and no number is computed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from builder.sharing import elsewhere
from tests.engine.registries import manifest
from tests.engine.workspaces import Ran, project, wsb
from tests.support.index import make_wheel
from tests.support.registry import running_registry

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with running_registry() as address:
        yield f"{address}/lab"


@pytest.fixture
def two(engine: DockerEngine, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two projects on a torch that no other test run has: its wheel's content is part of the torch image's name."""
    (tmp_path / "wheels").mkdir()
    tag = "cp311-cp311-manylinux_2_28_x86_64"
    make_wheel(tmp_path / "wheels", "torch", "2.12.0+cpu", padding=4096, tag=tag, note=secrets.token_hex(8))
    shared = "torch: '2.12'\naccelerator: cpu\nmanager: venv\nbase: {bootstrap: bookworm}\nide: []\n"
    shared += f"sources: {{torch: {tmp_path / 'wheels'}}}\n"
    names = ("wsbtest-timg-one", "wsbtest-timg-two")
    one, other = (project(tmp_path / name, wsb_yaml=f"name: {name}\n{shared}") for name in names)
    yield one, other
    for name in names:
        engine.remove_image(f"{name}:latest")
    name = wsb(one, "torch-image").out.strip()
    engine.remove_image(name)


def made(folder: Path, *words: str) -> Ran:
    ran = wsb(folder, *words, "--json", "--network", "host")
    assert ran.code == 0, ran.err
    return ran


def steps(ran: Ran) -> str:
    return "\n".join(step["name"] for step in ran.document["steps"])


def layers_in(registry: str, name: str) -> list[str]:
    """Digests of an image's layers, as the registry tells them."""
    repository, _, tag = name.rpartition(":")
    return [layer["digest"] for layer in manifest(registry, repository, tag)["layers"]]


def test_a_second_machine_takes_torch_from_the_registry_and_sends_no_layer_of_it_again(
    two: tuple[Path, Path], engine: DockerEngine, registry: str
) -> None:
    one, other = two
    first = made(one, "torch-image", "--push", registry).document
    name = first["image"]
    assert first["built"]
    assert first["pushed"]["reference"] == elsewhere(registry, name)
    assert first["pushed"]["digest"].startswith("sha256:")
    assert first["pushed"]["layers_sent"] == len(first["layers"])
    assert engine.image(elsewhere(registry, name)) is None

    # another machine: it has neither the image nor, by --no-cache, any step of it
    engine.remove_image(name)
    built = made(other, "build", "--no-test", "--no-cache", "--pull-first", registry)
    assert (built.document["torch_image"], built.document["torch_pulled_from"]) == (name, registry)
    assert "import torch" not in steps(built)
    assert "apt-get" not in steps(built)
    assert "make-user" in steps(built)
    assert f"took {name} from {registry}" in built.err
    torch, workspace = engine.image(name), engine.image("wsbtest-timg-two:latest")
    assert torch is not None
    assert workspace is not None
    assert list(torch.layers) == first["layers"]
    assert workspace.layers[: len(torch.layers)] == torch.layers

    pushed = wsb(other, "push", registry, "--json").document["pushed"][0]
    assert pushed["layers_there"] >= len(torch.layers)
    assert pushed["layers_sent"] == len(workspace.layers) - len(torch.layers)
    below = layers_in(registry, name)
    assert layers_in(registry, "wsbtest-timg-two:latest")[: len(below)] == below

    # and the first machine finds its own again, by an image that came from elsewhere
    assert made(one, "torch-image", "--pull-first", registry).document["built"] is False


def test_without_a_registry_in_reach_it_is_built_and_said_so(two: tuple[Path, Path]) -> None:
    ran = made(two[0], "torch-image", "--pull-first", "127.0.0.1:9")
    assert ran.document["built"]
    assert "not taken from a registry: 127.0.0.1:9/wsb/torch:" in ran.err


def test_another_image_under_that_name_is_refused(
    two: tuple[Path, Path], engine: DockerEngine, tiny: str, registry: str
) -> None:
    name = made(two[0], "torch-image").document["image"]
    engine.remove_image(name)
    reference = elsewhere(registry, name)
    engine.tag(tiny, reference)
    engine.push(reference, lambda _: None)
    engine.remove_image(reference)
    ran = wsb(two[0], "build", "--json", "--pull-first", registry)
    assert (ran.code, ran.document["code"]) == (5, "content-differs")
    assert engine.image(reference) is None
    assert engine.image(name) is None


def test_prune_lists_one_on_which_no_workspace_stands_yet(two: tuple[Path, Path], engine: DockerEngine) -> None:
    name = made(two[0], "torch-image").document["image"]
    listed = wsb(two[0], "prune", "--json")
    assert name in [one["image"] for one in listed.document["unused"]]
    assert engine.image(name) is not None
    made(two[0], "build", "--no-test")
    assert name not in [one["image"] for one in wsb(two[0], "prune", "--json").document["unused"]]
