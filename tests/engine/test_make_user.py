"""The image's user beside users that the base brings: every host uid must be free for him when an IDE asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.engine.base import ContainerRequest, Output
from builder.engine.docker_sdk import DockerEngine
from tests.support.conda_fixtures import cache_dir
from tests.support.debian_image import debian_image

pytestmark = pytest.mark.engine
__all__ = ["cache_dir"]

FILES = Path(__file__).parents[2] / "dockerfiles" / "files"
# as ubuntu:24.04 has one with 1000, and as somebody's own base may have more
BASE = "groupadd --gid 900 wsb; useradd --create-home --uid 1000 ubuntu; useradd --uid 1001 ada; groupadd --gid 1500 team"


def ids(engine: DockerEngine, cache_dir: Path, script: str) -> dict[str, tuple[str, str]]:
    """Name → (uid, gid) of everybody with a home after the script ran in a plain Debian."""
    out: list[bytes] = []

    def keep(output: Output) -> None:
        out.append(output.data)

    command = f"set -e; {BASE}; {script}; echo; getent passwd; getent group | sed 's/^/group /'"
    request = ContainerRequest(
        image=debian_image(engine, cache_dir), command=("sh", "-c", command), user="0:0", mounts=((str(FILES), "/in", True),)
    )
    assert engine.run(request, keep) == 0, b"".join(out).decode()
    lines = [line.split(":") for line in b"".join(out).decode().splitlines() if line.count(":") > 2]
    return {line[0]: (line[2], line[3]) for line in lines}


def test_users_of_the_base_are_moved_out_of_the_way_of_host_uids(engine: DockerEngine, cache_dir: Path) -> None:
    found = ids(engine, cache_dir, "sh /in/make-user dev 1000 wsb; id -nG dev; stat -c %a:%G /home/dev /workspace >&2")
    assert found["dev"] == ("1000", "1000")
    for name in ("ubuntu", "ada", "group team"):
        assert 60_000 < int(found[name][0]) < 65_534, name
    assert found["nobody"][0] == "65534"
    assert found["www-data"][0] == "33"  # the system's own stay


@pytest.mark.parametrize("uid", ["1001", "33", "1234"])
def test_the_user_has_the_wanted_uid_whoever_had_it(engine: DockerEngine, cache_dir: Path, uid: str) -> None:
    found = ids(engine, cache_dir, f"sh /in/make-user dev {uid} wsb; install -o dev -g dev -d /home/dev/x")
    assert found["dev"] == (uid, uid)
    assert [name for name, (one, _) in found.items() if one == uid and not name.startswith("group ")] == ["dev"]


def test_a_base_that_has_the_name_already_keeps_it_with_the_wanted_uid(engine: DockerEngine, cache_dir: Path) -> None:
    found = ids(engine, cache_dir, "sh /in/make-user ubuntu 1000 wsb; id -nG ubuntu | grep -w wsb")
    assert found["ubuntu"] == ("1000", "1000")
