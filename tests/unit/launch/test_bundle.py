"""An image as files, written by the real tar through a real shell from an engine in memory."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from builder.errors import WsbError
from builder.launch import oci
from builder.launch.bundle import Exporter, Form
from builder.launch.container import Identity
from builder.launch.shell import LocalShell
from tests.fakes.engine import FakeEngine
from tests.support.jobs import INFO, PYTHON
from tests.support.programs import programs

ME = Identity(uid=os.getuid(), gid=os.getgid())
DOCUMENT = {"user": {"name": "dev", "uid": 1000}, "environment": {"python": PYTHON}}


def exporter(**files: bytes) -> Exporter:
    engine = FakeEngine(files={"/etc/hostname": b"x\n", "/opt/wsb/plan.json": b"{}", **files})
    return Exporter(engine=engine, shell=LocalShell(), image=INFO, document=DOCUMENT, say=lambda _: None)


def config(**more: Any) -> dict[str, Any]:
    return oci.config(INFO, owner=ME, **{"home": "/home/dev", "python": PYTHON, **more})


def test_a_bundle_says_which_image_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    exporter().bundle(str(folder), config(), ME)
    assert json.loads((folder / "config.json").read_text()) == config()
    root = folder / "rootfs"
    assert (root / "opt/wsb/image-id").read_text() == f"{INFO.id}\n"
    mark = json.loads((root / "opt/wsb/image.json").read_text())
    assert (mark["id"], mark["env"], mark["home"]) == (INFO.id, list(INFO.env), "/home/dev")
    assert (root / "opt/wsb/plan.json").read_text() == "{}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


def test_an_earlier_bundle_gives_way_and_nothing_else_does(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    exporter().bundle(str(folder), config(), ME)
    exporter(**{"/new": b"n"}).bundle(str(folder), config(), ME)
    assert (folder / "rootfs/new").exists()
    work = tmp_path / "work"
    work.mkdir()
    (work / "thesis.tex").write_text("years")
    with pytest.raises(WsbError, match=f"cannot write {work}"):
        exporter().bundle(str(work), config(), ME)
    assert (work / "thesis.tex").read_text() == "years"
    empty = tmp_path / "empty"
    empty.mkdir()
    exporter().bundle(str(empty), config(), ME)
    assert (empty / "config.json").exists()


def test_another_configuration_shares_the_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    exporter().bundle(str(first), config(), ME)
    exporter().bundle(str(second), config(workdir="/workspace/deep"), ME, twin=str(first))
    assert (first / "rootfs/etc/hostname").samefile(second / "rootfs/etc/hostname")
    assert json.loads((second / "config.json").read_text())["process"]["cwd"] == "/workspace/deep"
    assert json.loads((first / "config.json").read_text())["process"]["cwd"] == "/workspace"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to somebody else")
def test_every_file_belongs_to_the_user_the_bundle_is_for(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    exporter().bundle(str(folder), config(), Identity(uid=4321, gid=4322))
    for path in (folder, *folder.rglob("*")):
        assert (path.lstat().st_uid, path.lstat().st_gid) == (4321, 4322)


def test_a_missing_tool_is_named_with_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sh", "mkdir", "tar", "rm", "chmod", "cat", "mv"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for form, hint in ((Form.SQUASHFS, "squashfs-tools"), (Form.SIF, "apptainer.org")):
        with pytest.raises(WsbError) as caught:
            exporter().packed(form, str(tmp_path / "image"))
        assert caught.value.code == "tool-missing"
        assert hint in caught.value.hints[0]


@pytest.mark.parametrize(
    ("form", "program", "body"),
    [
        # called as the real ones are: source, target, options; and: build TARGET SOURCE
        (Form.SQUASHFS, "mksquashfs", 'test -f "$1/opt/wsb/image-id" && echo "$@" > "$2"'),
        (Form.SIF, "apptainer", 'test "$1" = build && test -f "$3/opt/wsb/image-id" && echo "$@" > "$2"'),
        (Form.SIF, "singularity", 'test "$1" = build && test -f "$3/opt/wsb/image-id" && echo "$@" > "$2"'),
    ],
)
def test_a_file_is_made_by_the_targets_own_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form, program: str, body: str
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", **{program: body}))
    target = tmp_path / f"image.{form.value}"
    exporter().packed(form, str(target))
    assert "rootfs" in target.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["bin", target.name])


def test_a_tool_that_fails_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", mksquashfs="echo 'No space left on device' >&2; exit 1"))
    with pytest.raises(WsbError) as caught:
        exporter().packed(Form.SQUASHFS, str(tmp_path / "image.sqsh"))
    assert caught.value.code == "disk-full"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin"]


def test_dockers_archive_is_what_the_engine_gives(tmp_path: Path) -> None:
    exporter().archive(str(tmp_path / "image.tar"))
    assert (tmp_path / "image.tar").read_bytes() == b"digits:latest"


# --- the configuration ---


def test_the_user_is_root_inside_and_himself_outside() -> None:
    made = oci.config(INFO, owner=Identity(uid=4321, gid=4322))
    assert made["linux"]["uidMappings"] == [{"containerID": 0, "hostID": 4321, "size": 1}]
    assert made["linux"]["gidMappings"] == [{"containerID": 0, "hostID": 4322, "size": 1}]
    assert made["process"]["user"] == {"uid": 0, "gid": 0}


def test_names_and_network_are_the_nodes_and_processes_are_the_containers() -> None:
    kinds = {one["type"] for one in config()["linux"]["namespaces"]}
    assert kinds == {"pid", "ipc", "mount", "user"}
    targets = {mount["destination"]: mount for mount in config()["mounts"]}
    assert targets["/etc/hosts"]["source"] == "/etc/hosts"
    assert {"/tmp", "/dev/shm", "/home/dev"} <= set(targets)
    assert config()["root"]["readonly"] is True


def test_the_first_process_is_an_init_where_wsb_made_the_image() -> None:
    assert config()["process"]["args"] == [PYTHON, "-I", "/opt/wsb/probes/job.py", "--image", INFO.id, "--", "bash"]
    assert config(python="")["process"]["args"] == ["/opt/wsb/bin/entry", "bash"]


def test_a_gpu_build_asks_the_sites_runtime_for_devices() -> None:
    assert "NVIDIA_VISIBLE_DEVICES=all" in config(has_gpu=True)["process"]["env"]
    assert not any(one.startswith("NVIDIA") for one in config()["process"]["env"])


def test_different_mounts_make_a_different_bundle() -> None:
    data = oci.Bind(source="/data", target="/data")
    assert oci.key(config()) == oci.key(config())
    assert oci.key(config()) != oci.key(config(binds=[data]))


@pytest.mark.parametrize("text", ["data:/data", "/data", "/data:data", "/data:/data:rx", ""])
def test_a_mount_of_a_node_is_two_absolute_paths(text: str) -> None:
    with pytest.raises(WsbError, match="is not /SOURCE:/TARGET"):
        oci.parse_bind(text)


def test_a_mount_may_be_read_only() -> None:
    assert oci.parse_bind("/a:/b:ro") == oci.Bind(source="/a", target="/b", is_read_only=True)
