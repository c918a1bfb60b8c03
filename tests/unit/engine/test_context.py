"""The tar that goes to the engine."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from builder.engine.context import build_context, context_paths
from builder.errors import WsbError
from builder.model.files import File, FileSet

DOCKERFILE = File(path="Dockerfile", content=b"FROM scratch\n")


def tar_bytes(project: Path | None, *files: File) -> bytes:
    with build_context(FileSet((DOCKERFILE, *files)), project)() as tar:
        return tar.read()


def members(project: Path | None, *files: File) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(tar_bytes(project, *files))) as tar:
        return {member.name: member for member in tar.getmembers()}


def ignoring(*lines: str) -> File:
    return File(path=".dockerignore", content="\n".join(lines).encode())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print()\n")
    (tmp_path / "run.sh").write_text("true\n")
    (tmp_path / "run.sh").chmod(0o700)
    (tmp_path / "link").symlink_to("src/../src/train.py")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "big.bin").write_bytes(b"x" * 1000)
    return tmp_path


def test_the_files_alone_make_a_context() -> None:
    assert list(members(None)) == ["Dockerfile"]


def test_rendered_files_and_the_project_s_own_are_sorted_together(project: Path) -> None:
    names = list(members(project, File(path="requirements/lock.txt", content=b"")))
    assert names == sorted(names)
    assert names == [
        *("Dockerfile", "data", "data/big.bin", "link", "requirements", "requirements/lock.txt"),
        *("run.sh", "src", "src/train.py"),
    ]


def test_times_owners_and_umask_do_not_reach_the_tar(project: Path) -> None:
    before = tar_bytes(project)
    os.utime(project / "src" / "train.py", (1, 1))
    (project / "src" / "train.py").chmod(0o600)
    (project / "src").chmod(0o700)
    assert tar_bytes(project) == before
    assert all((one.mtime, one.uid, one.gid, one.uname) == (0, 0, 0, "") for one in members(project).values())


def test_what_may_be_executed_stays_so(project: Path) -> None:
    found = members(project)
    assert (found["run.sh"].mode, found["src/train.py"].mode) == (0o755, 0o644)


def test_a_link_is_sent_as_it_is(project: Path) -> None:
    (project / "broken").symlink_to("/nowhere/./x")
    found = members(project)
    assert found["link"].linkname == "src/../src/train.py"
    assert found["broken"].linkname == "/nowhere/./x"


def test_sockets_and_pipes_are_left_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)  # a socket's path may not be long
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        assert not {"pipe", "socket"} & set(members(project))


def test_ignored_files_are_left_out_and_let_back_in(project: Path) -> None:
    (project / "data" / "labels.csv").write_text("")
    assert "data/big.bin" not in members(project, ignoring("data"))
    found = members(project, ignoring("data", "!data/labels.csv"))
    assert "data/labels.csv" in found
    assert "data/big.bin" not in found


def test_an_ignored_folder_is_not_entered(project: Path) -> None:
    forbidden = project / "data" / "private"
    forbidden.mkdir()
    entered = []
    real = os.scandir

    def scandir(path: str | Path) -> object:
        entered.append(Path(path).name)
        return real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        members(project, ignoring("data", "!src/x"))
    assert "data" not in entered
    assert "src" in entered


def test_the_project_s_own_ignore_file_counts_when_none_is_rendered(project: Path) -> None:
    (project / ".dockerignore").write_text("src\n")
    assert "src/train.py" not in members(project)
    assert "src/train.py" in members(project, ignoring("data"))


def test_an_ignore_file_of_the_dockerfile_goes_first(project: Path) -> None:
    (project / "Dockerfile.dockerignore").write_text("run.sh\n")
    assert "run.sh" not in members(project, ignoring("data"))


def test_a_rendered_file_replaces_the_project_s(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM other\n")
    with build_context(FileSet((DOCKERFILE,)), project)() as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        member = next(one for one in tar if one.name == "Dockerfile")
        assert member.size == len(DOCKERFILE.content)


def test_a_rendered_file_is_never_written_through_a_link_of_the_project(project: Path) -> None:
    (project / "out").symlink_to("/tmp")
    found = members(project, File(path="out/x", content=b""))
    assert found["out"].isdir()


def test_a_rendered_file_replaces_a_folder(project: Path) -> None:
    found = members(project, File(path="src", content=b"now a file"))
    assert found["src"].isreg()
    assert "src/train.py" not in found


def test_names_that_are_long_or_no_utf_8_travel(project: Path) -> None:
    long = "deep/" * 60 + "file"
    (project / long).parent.mkdir(parents=True)
    (project / long).write_text("")
    odd = os.fsdecode(b"caf\xe9")
    (project / odd).write_text("")
    found = members(project)
    assert long in found
    assert odd in found


def test_the_archive_is_whole(project: Path) -> None:
    data = tar_bytes(project)
    assert len(data) % 10240 == 0
    assert data.endswith(bytes(1024))


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with build_context(FileSet((DOCKERFILE,)), tmp_path)() as tar:
        assert len(tar.read(1 << 20)) == 1 << 20


def test_a_file_that_shrinks_meanwhile_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(bytes(1 << 21))
    with build_context(FileSet((DOCKERFILE,)), tmp_path)() as tar:
        tar.read(1 << 19)
        (tmp_path / "log").write_bytes(b"")
        with pytest.raises(WsbError, match="log became shorter"):
            tar.read()


def test_a_file_that_grows_meanwhile_is_cut(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(bytes(1 << 21))
    with build_context(FileSet((DOCKERFILE,)), tmp_path)() as tar:
        data = tar.read(1 << 19)
        with (tmp_path / "log").open("ab") as log:
            log.write(b"more")
        data += tar.read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getmember("log").size == 1 << 21


def test_a_file_that_cannot_be_read_is_named(project: Path) -> None:
    with build_context(FileSet((DOCKERFILE, File(path="a", content=bytes(1 << 20)))), project)() as tar:
        tar.read(1)
        (project / "run.sh").unlink()
        with pytest.raises(WsbError, match=r"cannot read run\.sh: No such file"):
            tar.read()


def test_a_project_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WsbError, match=r"cannot read \.: No such file"):
        tar_bytes(tmp_path / "none")


def test_an_ignore_file_that_cannot_be_understood_is_named(project: Path) -> None:
    with pytest.raises(WsbError, match=r"\.dockerignore: line 2"):
        build_context(FileSet((DOCKERFILE, ignoring("ok", "["))), project)


def test_the_paths_can_be_asked_for_alone(project: Path) -> None:
    paths = context_paths(FileSet((DOCKERFILE,)), project)
    assert paths == tuple(members(project))
