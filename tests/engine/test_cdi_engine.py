"""The test run's own engine with CDI: that it hands in what a spec says, as the user too, and nothing unasked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from builder.engine.base import ContainerRequest, Output
from builder.engine.docker_sdk import DockerEngine
from builder.errors import WsbError
from tests.support.private_engine import PrivateEngine, mock_spec
from tests.support.tiny_image import tiny_image

pytestmark = pytest.mark.engine

NULL = os.stat("/dev/null").st_rdev  # noqa: PTH116


@pytest.fixture
def mocked(cdi_engine: PrivateEngine) -> Iterator[DockerEngine]:
    cdi_engine.write_spec("mock", mock_spec())
    engine = DockerEngine.connect(cdi_engine.environ)
    tiny_image(engine)
    yield engine
    engine.close()
    cdi_engine.remove_spec("mock")


def said(engine: DockerEngine, command: str, *devices: str, user: str = "") -> str:
    out: list[bytes] = []
    requests = [{"Driver": "cdi", "DeviceIDs": list(devices)}] if devices else []
    request = ContainerRequest(
        image=tiny_image(engine), command=("sh", "-c", command), user=user, device_requests=tuple(requests)
    )

    def keep(output: Output) -> None:
        out.append(output.data)

    assert engine.run(request, keep, timeout_s=60) == 0
    return b"".join(out).decode()


def test_the_engine_says_where_its_cdi_specs_lie(cdi_engine: PrivateEngine, mocked: DockerEngine) -> None:
    assert mocked.info().cdi_spec_dirs == (str(cdi_engine.cdi_dir),)


@pytest.mark.parametrize("user", ["", "1000:1000"])
def test_a_device_arrives_with_its_variables_and_nodes(mocked: DockerEngine, user: str) -> None:
    text = said(
        mocked, "echo $NVIDIA_VISIBLE_DEVICES; stat -c '%n %t:%T' /dev/nvidia*; : > /dev/nvidia0", "nvidia.com/gpu=0", user=user
    )
    node = f"{os.major(NULL):x}:{os.minor(NULL):x}"
    assert text.split("\n")[:-1] == ["void", *(f"/dev/{name} {node}" for name in ("nvidia-uvm", "nvidia0", "nvidiactl"))]


def test_without_a_request_nothing_arrives(mocked: DockerEngine) -> None:
    assert said(mocked, 'echo "[$NVIDIA_VISIBLE_DEVICES]"; ls /dev | grep -c nvidia; true') == "[]\n0\n"


def test_a_device_that_is_in_no_spec_is_an_error(mocked: DockerEngine) -> None:
    with pytest.raises(WsbError) as raised:
        said(mocked, "true", "nvidia.com/gpu=9")
    assert "unresolvable CDI devices nvidia.com/gpu=9" in " ".join([raised.value.message, *raised.value.details])


def test_its_own_docker_and_buildx_answer(cdi_engine: PrivateEngine) -> None:
    for words in (["docker", "info", "--format", "{{.ServerVersion}}"], ["docker", "buildx", "version"]):
        done = subprocess.run(words, env=dict(cdi_engine.environ), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
