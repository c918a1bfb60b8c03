"""The script that sorts a step's packages by size, run as the step runs it, over an environment made of metadata alone."""

from __future__ import annotations

import json
import runpy
import sys
import sysconfig
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "dockerfiles" / "files" / "by-size.py"
MIB = 1 << 20


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(folder))
    return folder


def installed(site: Path, name: str, version: str, *sizes: int, origin: object = None) -> Path:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: 0\nin prose\n")
    lines = [f"{name}/{number}.so,sha256=abc,{size}" for number, size in enumerate(sizes)]
    (folder / "RECORD").write_text("\n".join([*lines, f"{folder.name}/RECORD,,"]) + "\n")
    if origin:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    return folder


def sort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: list[Path], *lock: Path) -> dict[str, str]:
    (tmp_path / "before.txt").write_text("".join(f"{one}\n" for one in before))
    into = tmp_path / "chosen"
    monkeypatch.setattr(sys, "argv", ["by-size.py", str(tmp_path / "before.txt"), str(into), *map(str, lock)])
    runpy.run_path(str(SCRIPT))
    return {part: (into / part / "list").read_text() for part in ("large", "small")}


def test_what_was_there_before_is_not_installed_again(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = installed(site, "torch", "2.13.0+cpu", 500 * MIB)
    installed(site, "pandas", "3.1.1", 40 * MIB)
    installed(site, "scipy", "1.17.1", MIB // 2, MIB // 2)
    installed(site, "tqdm", "4.70.1", MIB - 1)
    installed(site, "Einops", "0.8.2", 100)
    assert sort(tmp_path, monkeypatch, [torch]) == {
        "large": "pandas==3.1.1\nscipy==1.17.1\n",
        "small": "Einops==0.8.2\ntqdm==4.70.1\n",
    }


def test_another_version_of_what_was_there_is_installed(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = installed(site, "sympy", "1.14.0", 30 * MIB)
    installed(site, "sympy", "1.12", 30 * MIB)
    assert sort(tmp_path, monkeypatch, [old])["large"] == "sympy==1.12\n"


def test_what_came_from_no_index_is_asked_for_from_there(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    vcs = {"vcs": "git", "commit_id": commit, "requested_revision": "main"}
    installed(site, "clip", "1.0", 5, origin={"url": "https://example.org/clip.git", "vcs_info": vcs})
    below = {"url": "https://example.org/many.git", "vcs_info": vcs, "subdirectory": "python"}
    installed(site, "one-of-many", "1.0", 5, origin=below)
    wheel = "https://example.org/detectron2-0.6-cp311-cp311-linux_x86_64.whl"
    installed(site, "detectron2", "0.6", 9 * MIB, origin={"url": wheel, "archive_info": {}})
    assert sort(tmp_path, monkeypatch, []) == {
        "large": f"detectron2 @ {wheel}\n",
        "small": f"clip @ git+https://example.org/clip.git@{commit}\n"
        f"one-of-many @ git+https://example.org/many.git@{commit}#subdirectory=python\n",
    }


def test_a_lock_keeps_its_lines_and_a_bundle_its_files(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "lock"
    (lock / "files").mkdir(parents=True)
    large = "scikit-learn==1.9.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    small = "tqdm==4.70.1 \\\n    --hash=sha256:cc\n"
    there_already = "typing-extensions==4.16.0 --hash=sha256:dd\n"
    (lock / "list").write_text(small + there_already + large)
    for name in ("scikit_learn-1.9.1-cp311-cp311-x.whl", "tqdm-4.70.1.tar.gz", "typing_extensions-4.16.0-py3-none-any.whl"):
        (lock / "files" / name).write_text(name)
    before = installed(site, "typing_extensions", "4.16.0", 5)
    installed(site, "scikit-learn", "1.9.1", 9 * MIB)
    installed(site, "tqdm", "4.70.1", 9)
    assert sort(tmp_path, monkeypatch, [before], lock) == {"large": large, "small": small + there_already}
    handed_on = {
        part: sorted(path.name for path in (tmp_path / "chosen" / part / "files").iterdir()) for part in ("large", "small")
    }
    assert handed_on == {
        "large": ["scikit_learn-1.9.1-cp311-cp311-x.whl"],
        "small": ["tqdm-4.70.1.tar.gz", "typing_extensions-4.16.0-py3-none-any.whl"],
    }
