"""An image as files, tried with the programs that read them: runc as an ordinary user, unsquashfs, docker load."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import wsb
from tests.support import engine as bring_up

pytestmark = pytest.mark.engine

UID = 20002  # nobody's
MARK = "opt/wsb/image-id"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def export(folder: Path, form: str, image: str, path: Path, *more: str) -> Path:
    ran = wsb(folder, "export", "--to", form, *more, image, str(path))
    assert ran.code == 0, ran.err
    assert ran.out == f"{path}\n"
    return path


def test_a_bundle_starts_for_the_user_it_was_made_for(engine: DockerEngine, tiny: str, folder: Path) -> None:
    if shutil.which("runc") is None:
        bring_up.install("runc")
    # below /tmp itself, since the user must be able to reach it
    place = Path("/tmp") / f"wsbtest-bundle-{folder.parent.name}"
    data = place / "data"
    data.mkdir(parents=True)
    shutil.chown(data, UID, UID)
    try:
        bundle = export(folder, "oci-bundle", tiny, place / "bundle", "--for-user", str(UID), "--mount", f"{data}:/data")
        script = f"id -u; cat /{MARK}; echo hello > /data/file; echo no > /file; echo $HOME; echo $$; exit 7"
        config = json.loads((bundle / "config.json").read_text())
        config["process"]["args"] = ["/bin/sh", "-c", script]
        (bundle / "config.json").write_text(json.dumps(config))
        (place / "state").mkdir()
        shutil.chown(place / "state", UID, UID)
        user = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups"]
        runc = ["runc", "--rootless=true", "--root", str(place / "state"), "run", "wsbtest", "--bundle", str(bundle)]
        done = subprocess.run([*user, *runc], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        image = engine.image(tiny)
        assert image is not None
        assert done.returncode == 7, done.stderr
        assert done.stdout.splitlines() == ["0", image.id, "/root", "1"]
        # root inside and himself outside; the image's own files cannot be written
        assert ((data / "file").read_text(), (data / "file").stat().st_uid) == ("hello\n", UID)
        assert "Read-only file system" in done.stderr
    finally:
        shutil.rmtree(place)


def test_a_squashfs_holds_the_image_and_its_mark(engine: DockerEngine, tiny: str, folder: Path, tmp_path: Path) -> None:
    if shutil.which("mksquashfs") is None:
        bring_up.install("squashfs-tools")
    file = export(folder, "sqsh", tiny, tmp_path / "image.sqsh")
    image = engine.image(tiny)
    assert image is not None
    unpacked = tmp_path / "unpacked"
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-d", str(unpacked), str(file)], check=True, capture_output=True)
    assert (unpacked / MARK).read_text() == f"{image.id}\n"
    assert (unpacked / "bin" / "sh").exists()


def test_an_archive_is_what_docker_loads(engine: DockerEngine, tiny: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    ran = wsb(folder, "export", "--to", "docker-archive", "--json", tiny, str(tmp_path / "out"))
    assert ran.code == 0, ran.err
    image = engine.image(tiny)
    assert image is not None
    assert ran.document["image"] == image.id
    (loaded,) = engine._api.load_image(Path(ran.document["path"]).read_bytes()) or [{"stream": ""}]
    assert tiny.split(":")[0] in loaded["stream"] or image.id in loaded["stream"]


def test_an_image_that_is_not_there_is_named(engine: DockerEngine, folder: Path) -> None:
    ran = wsb(folder, "export", "--to", "oci-bundle", "no-such-image:1", str(folder / "x"))
    assert ran.code == 4
    assert "the engine holds no image no-such-image:1" in ran.err


def test_somebody_elses_folder_is_left_alone(engine: DockerEngine, tiny: str, folder: Path) -> None:
    (folder / "work").mkdir()
    (folder / "work" / "file").write_text("mine")
    ran = wsb(folder, "export", "--to", "oci-bundle", tiny, str(folder / "work"))
    assert ran.code == 4
    assert (folder / "work" / "file").read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["work"]
