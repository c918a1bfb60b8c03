"""The same again, anywhere: locked, built twice, built without any network, pushed and found again; on real engines."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.engine.docker_sdk import DockerEngine
from tests.engine.workspaces import WSB, project, wsb
from tests.support.airgapped_engine import engine_without_network
from tests.support.index import Index, make_wheel, serve_index
from tests.support.registry import running_registry

pytestmark = pytest.mark.engine

NAME = "wsbtest-lock"
IMAGE = f"{NAME}:latest"


def wsb_yaml(index: Index, *packages: str) -> str:
    return (
        f"name: {NAME}\ntorch: none\nmanager: venv\nbase: {{bootstrap: bookworm}}\nide: []\n"
        f"packages: {{apt: [unzip], pip: [{', '.join(packages)}]}}\nsources: {{pip: '{index.url}'}}\n"
    )


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "wsbdemo", "1.0", ("wsbbelow",))
    make_wheel(folder, "wsbbelow", "2.0")
    make_wheel(folder, "wsbbig", "1.0", padding=1 << 20)
    with serve_index(folder) as served:
        # the pinned uv comes from the index too, in a first build on a machine
        _add_uv(folder)
        yield served


def _add_uv(folder: Path) -> None:
    import sys

    from builder.render.names import UV_VERSION

    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), f"uv=={UV_VERSION}"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def locked(engine: DockerEngine, index: Index, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small project, locked once and built from its lock."""
    folder = project(tmp_path_factory.mktemp("locked") / "p", wsb_yaml=wsb_yaml(index, "wsbdemo"))
    made = wsb(folder, "lock", "--network", "host")
    assert made.code == 0, made.err
    assert "pip    wsbdemo  + 1.0" in made.out.splitlines()
    built = wsb(folder, "build", "--locked", "--network", "host", "--json")
    assert built.code == 0, built.err
    yield folder
    engine.remove_image(IMAGE)


def digest(folder: Path, **environment: str) -> str:
    told = wsb(folder, "digest", **environment)
    assert told.code == 0, told.err
    return told.out.strip()


def test_the_lock_names_every_package_with_its_hash_and_no_address_of_this_machine(locked: Path, index: Index) -> None:
    text = (locked / "wsb.lock").read_text()
    for package in ("wsbdemo==1.0", "wsbbelow==2.0", "python3.11-venv "):
        assert package in text
    assert "--hash=sha256:" in text
    assert "127.0.0.1" not in text
    assert wsb(locked, "lock", "--check").code == 0


def test_locking_again_changes_nothing_and_asks_no_index(locked: Path, index: Index) -> None:
    before, asked = (locked / "wsb.lock").read_bytes(), index.asked.copy()
    again = wsb(locked, "lock", "--network", "host", "--json")
    assert again.document["changes"] == []
    assert (locked / "wsb.lock").read_bytes() == before
    assert index.asked == asked


def test_a_newer_version_comes_in_only_when_it_is_asked_for(locked: Path, index: Index) -> None:
    before = (locked / "wsb.lock").read_text()
    newer = make_wheel(index.folder, "wsbbelow", "3.0")
    try:
        kept = wsb(locked, "lock", "--network", "host")
        assert (kept.code, kept.out) == (0, ""), kept.err
        upgraded = wsb(locked, "lock", "--network", "host", "--upgrade", "wsbbelow")
        assert (upgraded.code, upgraded.out) == (0, "pip    wsbbelow  2.0 -> 3.0\n"), upgraded.err
        slip = wsb(locked, "lock", "--upgrade", "wsbbelov")
        assert slip.code == 2
        assert "did you mean wsbbelow?" in slip.err
    finally:
        newer.unlink()
        (locked / "wsb.lock").write_text(before)


def test_a_locked_build_that_wsb_yaml_has_left_behind_says_where_they_disagree(locked: Path, index: Index) -> None:
    (locked / "wsb.yaml").write_text(wsb_yaml(index, "wsbdemo", "wsbbig"))
    try:
        ran = wsb(locked, "build", "--locked", "--json")
        assert (ran.code, ran.document["code"]) == (2, "lock-outdated")
        checked = wsb(locked, "lock", "--check")
        assert checked.code == 1
        assert "asked for and not locked: wsbbig" in checked.err
    finally:
        (locked / "wsb.yaml").write_text(wsb_yaml(index, "wsbdemo"))


def test_without_a_network_a_bundle_builds_the_same_files_on_an_engine_that_holds_nothing(
    locked: Path, engine: DockerEngine, tmp_path: Path
) -> None:
    """Two builds from empty caches: the other engine has none, and what it builds from comes by another way."""
    written = wsb(locked, "bundle", "--network", "host", "-o", str(tmp_path / "bundle"))
    assert written.code == 0, written.err
    with engine_without_network() as private:
        command = [*private.inside, *WSB, "build", "--bundle", str(tmp_path / "bundle")]
        reached = subprocess.run([*private.inside, "ip", "-brief", "address"], capture_output=True, text=True, check=True)
        assert [line.split()[0] for line in reached.stdout.splitlines()] == ["lo"]
        built = subprocess.run(command, cwd=locked, capture_output=True, text=True, check=False, env=_env(private.host))
        assert built.returncode == 0, built.stderr
        assert "checks passed, 0 failed" in built.stderr
        there = digest(locked, DOCKER_HOST=private.host)
        _one_byte_off(tmp_path / "bundle")
        refused = subprocess.run(command, cwd=locked, capture_output=True, text=True, check=False, env=_env(private.host))
        assert refused.returncode == 5, refused.stderr
        assert "unzip_amd64.deb: FAILED" in refused.stderr
        assert "not the file that wsb.lock names" in refused.stderr
    assert digest(locked) == there


def _env(host: str) -> dict[str, str]:
    import os

    return {**os.environ, "DOCKER_HOST": host}


def _one_byte_off(bundle: Path) -> None:
    [line] = [line for line in (bundle / "wsb.lock").read_text().splitlines() if line.strip().startswith("unzip ")]
    package = bundle / "workspace" / "apt" / f"{line.split()[3]}.deb"
    content = bytearray(package.read_bytes())
    content[len(content) // 2] ^= 1
    package.write_bytes(content)


def test_a_mirror_with_one_wrong_byte_is_refused_and_named(locked: Path, index: Index) -> None:
    index.lies.add("wsbbig-1.0-py3-none-any.whl")
    before = (locked / "wsb.lock").read_text()
    (locked / "wsb.yaml").write_text(wsb_yaml(index, "wsbdemo", "wsbbig"))
    try:
        more = wsb(locked, "lock", "--network", "host")
        assert (more.code, more.out) == (0, "pip    wsbbig  + 1.0\n"), more.err
        ran = wsb(locked, "build", "--locked", "--network", "host", "--no-test")
        assert ran.code == 5, ran.err
        assert "wsbbig" in ran.err
        assert "not the file that wsb.lock names" in ran.err
        assert "layers/locked/pip.j2" in ran.err

        # a mirror that dies half way is tried again, then said; what came in before stays
        index.lies.clear()
        index.breaks.add("wsbbig-1.0-py3-none-any.whl")
        index.asked.clear()
        ran = wsb(locked, "build", "--locked", "--network", "host", "--no-test")
        assert ran.code in (4, 5), ran.err
        assert "wsbbig" in ran.err
        assert index.asked["/files/wsbbig-1.0-py3-none-any.whl"] > 1

        index.breaks.clear()
        index.asked.clear()
        ran = wsb(locked, "build", "--locked", "--network", "host", "--no-test", "--json")
        assert ran.code == 0, ran.err
        assert index.asked["/files/wsbbig-1.0-py3-none-any.whl"] >= 1
        steps = {step["name"]: step["cached"] for step in ran.document["steps"] if "RUN" in step["name"]}
        assert [name for name, is_cached in steps.items() if not is_cached and "locked/pip" not in name] == []
    finally:
        index.lies.clear()
        index.breaks.clear()
        (locked / "wsb.lock").write_text(before)
        (locked / "wsb.yaml").write_text(wsb_yaml(index, "wsbdemo"))
        assert wsb(locked, "build", "--locked", "--network", "host", "--no-test").code == 0


def test_a_second_machine_takes_the_image_from_a_registry_instead_of_building_it(
    locked: Path, index: Index, engine: DockerEngine
) -> None:
    image = engine.image(IMAGE)
    assert image is not None
    with running_registry() as registry:
        pushed = wsb(locked, "push", registry, "--json")
        assert pushed.code == 0, pushed.err
        first = pushed.document["pushed"][0]
        assert first["layers_sent"] > 0
        assert pushed.document["pushed"][1]["layers_sent"] == 0
        engine.remove_image(IMAGE)
        taken = wsb(locked, "build", "--locked", "--pull-first", registry, "--json")
        assert taken.code == 0, taken.err
        assert (taken.document["pulled_from"], taken.document["steps"]) == (registry, [])
        after = engine.image(IMAGE)
        assert after is not None
        assert after.id == image.id

        # one package more: only the last layers go over the wire
        before = (locked / "wsb.lock").read_text()
        (locked / "wsb.yaml").write_text(wsb_yaml(index, "wsbdemo", "wsbbig"))
        try:
            assert wsb(locked, "lock", "--network", "host").code == 0
            built = wsb(locked, "build", "--locked", "--pull-first", registry, "--network", "host", "--no-test", "--json")
            assert built.code == 0, built.err
            assert "pulled_from" not in built.document
            more = wsb(locked, "push", registry, "--json").document["pushed"][0]
            assert more["layers_there"] >= 4
            assert more["layers_sent"] <= 3
            assert more["sent_bytes"] < first["sent_bytes"] / 10
        finally:
            (locked / "wsb.lock").write_text(before)
            (locked / "wsb.yaml").write_text(wsb_yaml(index, "wsbdemo"))


def test_the_password_of_an_index_is_used_and_found_nowhere(index: Index, engine: DockerEngine, tmp_path: Path) -> None:
    """In no layer, history, label, log, lock, bundle or rendered file, neither as it is nor as HTTP sends it."""
    index.password = "reader:Zk7-geheim-Qx"
    secret = index.password.partition(":")[2]
    needles = {secret.encode(), base64.b64encode(index.password.encode())}
    folder = project(tmp_path / "p", wsb_yaml=wsb_yaml(index, "wsbdemo").replace(NAME, "wsbtest-secret"))
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login reader password {secret}\nmachine other.example.org login x password y\n")
    netrc.chmod(0o600)
    try:
        without = wsb(folder, "lock", "--network", "host", NETRC="/nowhere")
        assert without.code in (4, 5), without.err
        for words in (["lock"], ["build"], ["bundle", "-o", str(tmp_path / "bundle")], ["build", "--locked"]):
            ran = wsb(folder, *words, *([] if "--json" in words else ["--network", "host"]), NETRC=str(netrc))
            assert ran.code == 0, ran.err
            assert not any(needle in (ran.out + ran.err).encode() for needle in needles)
        assert wsb(folder, "save", "-o", str(tmp_path / "image.tar")).code == 0
        assert wsb(folder, "render").code == 0
        inspected = engine._api.inspect_image("wsbtest-secret:latest"), engine._api.history("wsbtest-secret:latest")
        assert not any(needle in json.dumps(inspected).encode() for needle in needles)
        assert index.refused > 0
    finally:
        index.password = ""
        engine.remove_image("wsbtest-secret:latest")
    netrc.unlink()
    searched = 0
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file():
            assert not any(_holds(path, needle) for needle in needles), path
            searched += 1
    assert searched > 10  # the project, its lock, the logs, the bundle and the image with all of its layers


def _holds(path: Path, needle: bytes) -> bool:
    """Whether these bytes are in a file. A saved image holds its layers as plain tars."""
    with path.open("rb") as stream:
        rest = b""
        while block := stream.read(1 << 20):
            if needle in rest + block:
                return True
            rest = block[-len(needle) :]
    return False


def test_an_image_that_was_saved_comes_back_by_its_name(locked: Path, engine: DockerEngine, tmp_path: Path) -> None:
    wsb(locked, "build", "--locked", "--network", "host", "--no-test")
    image = engine.image(IMAGE)
    assert image is not None
    assert wsb(locked, "save", "-o", str(tmp_path / "one.tar")).code == 0
    engine.remove_image(IMAGE)
    loaded = wsb(locked, "load", str(tmp_path / "one.tar"))
    assert (loaded.code, loaded.out) == (0, f"{IMAGE}\n"), loaded.err
    again = engine.image(IMAGE)
    assert again is not None
    assert again.id == image.id
