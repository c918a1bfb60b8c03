"""Commands in containers of a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.engine.base import (
    TIMED_OUT,
    ContainerRequest,
    Output,
)
from builder.engine.docker_sdk import DockerEngine
from builder.errors import WsbError
from tests.engine.support import containers

pytestmark = pytest.mark.engine


class Ran:
    def __init__(self, engine: DockerEngine, request: ContainerRequest, timeout_s: float | None = None) -> None:
        pieces: list[Output] = []
        self.code = engine.run(request, pieces.append, timeout_s)
        self.out = b"".join(piece.data for piece in pieces if not piece.is_stderr).decode()
        self.err = b"".join(piece.data for piece in pieces if piece.is_stderr).decode()


def shell(tiny: str, label: str, script: str, **more: object) -> ContainerRequest:
    labels = {"dev.wsb.test": label}
    return ContainerRequest(image=tiny, command=["sh", "-c", script], labels=labels, **more)  # type: ignore[arg-type]


def test_a_command_gives_its_output_and_exit_code(engine: DockerEngine, tiny: str, label: str) -> None:
    ran = Ran(engine, shell(tiny, label, "echo out; echo err >&2; exit 7"))
    assert (ran.code, ran.out, ran.err) == (7, "out\n", "err\n")


def test_much_output_arrives_whole(engine: DockerEngine, tiny: str, label: str) -> None:
    assert len(Ran(engine, shell(tiny, label, "yes | head -c 5000000")).out) == 5_000_000


def test_a_killed_command_gives_128_and_the_signal(engine: DockerEngine, tiny: str, label: str) -> None:
    assert Ran(engine, shell(tiny, label, "kill -9 $$", init=False)).code in (137, 0)
    assert Ran(engine, shell(tiny, label, "sh -c 'kill -9 $$'; exit $?")).code == 137


def test_a_request_s_fields_hold_inside(engine: DockerEngine, tiny: str, label: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mounted\n")
    tmp_path.chmod(0o755)
    script = "id -u; id -G; pwd; echo $A; cat /in/file; touch /ro/x || echo read-only; df -k /dev/shm | tail -1; uname -n"
    ran = Ran(
        engine,
        shell(
            tiny,
            label,
            script,
            user="1000:1000",
            groups=["44"],
            workdir="/in",
            env={"A": "b c"},
            mounts=[(str(tmp_path), "/in", False), (str(tmp_path), "/ro", True)],
            shm_size="128m",
            network="none",
        ),
    )
    lines = ran.out.splitlines()
    assert lines[0] == "1000"
    assert set(lines[1].split()) == {"1000", "44"}
    assert lines[2:6] == ["/in", "b c", "mounted", "read-only"]
    assert lines[6].split()[1] == str(128 << 10)


def test_a_port_is_open_on_loopback_alone(engine: DockerEngine, tiny: str, label: str) -> None:
    seen: list[object] = []

    def on_output(_: Output) -> None:
        (container,) = containers(engine, label)
        seen.extend(engine._api.inspect_container(container)["NetworkSettings"]["Ports"]["8888/tcp"])
        engine._api.kill(container)

    engine.run(shell(tiny, label, "echo ready; sleep 80000", ports=[(8888, 0)]), on_output)
    assert {one["HostIp"] for one in seen} == {"127.0.0.1"}  # type: ignore[index]


def test_its_time_ends_a_command(engine: DockerEngine, tiny: str, label: str) -> None:
    ran = Ran(engine, shell(tiny, label, "echo started; sleep 80000"), timeout_s=2)
    assert (ran.code, ran.out) == (TIMED_OUT, "started\n")


def test_its_time_ends_a_command_that_closed_its_output(engine: DockerEngine, tiny: str, label: str) -> None:
    assert Ran(engine, shell(tiny, label, "exec >&- 2>&-; sleep 80000"), timeout_s=2).code == TIMED_OUT


def test_ctrl_c_removes_the_container(engine: DockerEngine, tiny: str, label: str) -> None:
    def on_output(_: Output) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(shell(tiny, label, "echo started; sleep 80000"), on_output)


def test_ctrl_c_ends_a_command_that_never_stops_printing(engine: DockerEngine, tiny: str, label: str) -> None:
    def on_output(_: Output) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(shell(tiny, label, "yes"), on_output)


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("/etc", 126)])
def test_a_command_the_image_does_not_have_is_127_and_one_that_cannot_run_126(
    engine: DockerEngine, tiny: str, label: str, command: str, code: int
) -> None:
    ran = Ran(engine, ContainerRequest(image=tiny, command=[command], init=False, labels={"dev.wsb.test": label}))
    assert ran.code == code
    assert command in ran.err


def test_a_folder_that_is_not_there_is_not_made(engine: DockerEngine, tiny: str, label: str, tmp_path: Path) -> None:
    with pytest.raises(WsbError) as caught:
        Ran(engine, shell(tiny, label, "true", mounts=[(str(tmp_path / "none"), "/in", False)]))
    assert "does not exist" in caught.value.message
    assert not (tmp_path / "none").exists()


def test_an_image_that_is_not_there_says_so(engine: DockerEngine, label: str) -> None:
    with pytest.raises(WsbError) as caught:
        Ran(engine, shell("wsbtest-engine-absent:1", label, "true"))
    assert caught.value.code == "image-missing"


def test_a_gpu_that_is_not_there_points_to_doctor(engine: DockerEngine, tiny: str, label: str) -> None:
    if engine.info().kind == "podman":
        pytest.skip("Podman passes over device requests that it cannot serve")
    gpu = {"Driver": "no-such-driver", "Count": -1, "Capabilities": [["gpu"]]}
    with pytest.raises(WsbError) as caught:
        Ran(engine, shell(tiny, label, "true", device_requests=[gpu]))
    assert caught.value.code == "gpu-refused"
    assert "GPU" in caught.value.message
