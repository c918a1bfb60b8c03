"""Builds on a real engine, through the Docker SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.engine.base import (
    BuildFailed,
    BuildRequest,
    StepOutput,
)
from builder.engine.context import build_context
from builder.engine.docker_sdk import DockerEngine
from builder.errors import WsbError
from builder.model.files import File, FileSet
from tests.engine.support import built, finished, nothing, request

pytestmark = pytest.mark.engine


def test_an_image_is_built_and_tagged(engine: DockerEngine, tiny: str, name: str) -> None:
    made = engine.build(request(name, f"FROM {tiny}\nCOPY a /a\nENV A=1\nLABEL b=2\nUSER dev\n", a=b"hello"), nothing)
    assert made == engine.image(name)
    assert made.tags == (name,)
    assert (made.labels["b"], made.user) == ("2", "dev")
    assert "A=1" in made.env
    assert engine.files_from_image(name, ["/a"]) == {"/a": b"hello"}


def test_a_rebuild_says_what_came_from_the_cache(engine: DockerEngine, tiny: str, name: str) -> None:
    steps = f"FROM {tiny}\nRUN : {name}; echo made\n"
    assert not any(step.is_cached for name, step in finished(built(engine, request(name, steps))).items() if "RUN" in name)
    assert all(step.is_cached for name, step in finished(built(engine, request(name, steps))).items() if "RUN" in name)


def test_no_cache_runs_it_again(engine: DockerEngine, tiny: str, name: str) -> None:
    again = BuildRequest(tag=name, context=request(name, f"FROM {tiny}\nRUN echo made\n").context, use_cache=False)
    built(engine, again)
    assert "made\n" in [event.text for event in built(engine, again) if isinstance(event, StepOutput)]


def test_a_cache_mount_is_there_again_in_the_next_build(engine: DockerEngine, tiny: str, name: str) -> None:
    mount = f"--mount=type=cache,id={name},target=/cache"
    built(engine, request(name, f"FROM {tiny}\nRUN {mount} echo kept > /cache/file\n"))
    events = built(engine, request(name, f"FROM {tiny}\nRUN {mount} cat /cache/file\n"))
    assert "kept\n" in [event.text for event in events if isinstance(event, StepOutput)]
    assert engine.files_from_image(name, ["/cache/file"]) == {}


def test_arguments_target_and_dockerfile_are_honoured(engine: DockerEngine, tiny: str, name: str) -> None:
    files = FileSet(
        (File(path="sub/My.Dockerfile", content=f"FROM {tiny} AS one\nARG X\nLABEL x=$X\nFROM one\nRUN false\n".encode()),)
    )
    made = engine.build(
        BuildRequest(
            tag=name,
            context=build_context(files),
            dockerfile="sub/My.Dockerfile",
            target="one",
            args={"X": "a b"},
            network="none",
        ),
        nothing,
    )
    assert made.labels["x"] == "a b"


def test_a_failed_step_shows_its_last_20_lines_and_exit_code(engine: DockerEngine, tiny: str, name: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        engine.build(request(name, f"FROM {tiny}\nRUN for i in $(seq 1 30); do echo line $i; done; exit 3\n"), nothing)
    error = caught.value
    assert (error.code, error.step_exit_code) == ("build-failed", 3)
    assert "RUN for i in" in error.step_name
    assert list(error.details[1:]) == [f"line {number}" for number in range(11, 31)]


def test_a_failed_build_leaves_the_name_where_it_was(engine: DockerEngine, tiny: str, name: str) -> None:
    with pytest.raises(BuildFailed):
        engine.build(request(name, f"FROM {tiny}\nRUN false\n"), nothing)
    assert engine.image(name) is None
    before = engine.build(request(name, f"FROM {tiny}\nLABEL a=1\n"), nothing)
    with pytest.raises(BuildFailed):
        engine.build(request(name, f"FROM {tiny}\nRUN false\n"), nothing)
    assert engine.image(name) == before


def test_a_base_that_cannot_be_had_is_no_build_failure(engine: DockerEngine, name: str) -> None:
    with pytest.raises(WsbError) as caught:
        engine.build(request(name, "FROM 127.0.0.1:9/nobody/nothing:1\nRUN true\n"), nothing)
    assert caught.value.code == "base-unreachable"
    assert "127.0.0.1:9/nobody/nothing:1" in caught.value.message


def test_a_step_that_fills_a_disk_says_so(engine: DockerEngine, tiny: str, name: str) -> None:
    # a file system of 64 MB stands in for the engine's disk
    with pytest.raises(WsbError) as caught:
        engine.build(request(name, f"FROM {tiny}\nRUN dd if=/dev/zero of=/dev/shm/x bs=1M count=100\n"), nothing)
    assert caught.value.code == "disk-full"
    assert caught.value.message == f"no space left on device while building {name}"


def test_a_dockerfile_that_is_not_there_fails_clearly(engine: DockerEngine, name: str) -> None:
    with pytest.raises(WsbError) as caught:
        engine.build(BuildRequest(tag=name, context=build_context(FileSet(()))), nothing)
    assert caught.value.code == "build-failed"


def test_a_context_that_cannot_be_read_is_its_own_error(engine: DockerEngine, name: str, tmp_path: Path) -> None:
    with pytest.raises(WsbError) as caught:
        engine.build(BuildRequest(tag=name, context=build_context(FileSet(()), tmp_path / "none")), nothing)
    assert caught.value.code == "no-such-file"


def test_the_project_s_files_reach_the_image_as_they_are(engine: DockerEngine, tiny: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("1")
    (tmp_path / "src" / "run.sh").write_text("2")
    (tmp_path / "src" / "run.sh").chmod(0o700)
    (tmp_path / "src" / "to").symlink_to("a.py")
    dockerfile = f"FROM {tiny}\nCOPY src /src\nRUN cd /src && stat -c '%n %a %u:%g' * && readlink to\n"
    files = FileSet((File(path="Dockerfile", content=dockerfile.encode()),))
    events = built(engine, BuildRequest(tag=name, context=build_context(files, tmp_path), use_cache=False))
    output = "".join(event.text for event in events if isinstance(event, StepOutput))
    assert output.splitlines() == ["a.py 644 0:0", "run.sh 755 0:0", "to 777 0:0", "a.py"]
