"""Each environment check passes where it should and, shown something else, fails."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from builder.model.report import Check, Status

from .conftest import RunProbes


@pytest.fixture
def ask(probes: RunProbes):
    def one(id: str, expect: dict[str, object] | None = None, *options: str, env: dict[str, str] | None = None) -> Check:
        ran = probes("--check", id, *options, expect=expect, env=env)
        assert ran.exit_code == 0, ran.stderr
        return ran[id]

    return one


def test_the_prefix_of_the_plan_may_be_reached_through_a_link(ask, tmp_path: Path):
    alias = tmp_path / "alias"
    alias.symlink_to(sys.prefix)
    assert ask("environment.prefix", {"prefix": str(alias)}).status is Status.PASS
    assert ask("environment.prefix", {"prefix": str(tmp_path)}).status is Status.FAIL
    assert ask("environment.prefix").status is Status.SKIP


def test_the_python_of_the_plan_is_compared_as_far_as_it_is_told(ask):
    minor, patch = f"{sys.version_info[0]}.{sys.version_info[1]}", "{}.{}.{}".format(*sys.version_info)
    assert ask("environment.python", {"python": minor}).status is Status.PASS
    assert ask("environment.python", {"python": patch}).status is Status.PASS
    assert ask("environment.python", {"python": "3.1"}).status is Status.FAIL
    assert ask("environment.python", {"python": minor + ".99"}).status is Status.FAIL


def test_the_image_must_be_built_from_the_plan_that_holds_now(ask, tmp_path: Path):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"digest": "sha256:old", "python": "2.7", "environment": {"prefix": "/nowhere"}}))
    same = ask("environment.plan", {"digest": "sha256:old"}, "--plan", str(plan))
    other = ask("environment.plan", {"digest": "sha256:new"}, "--plan", str(plan))
    assert (same.status, other.status) == (Status.PASS, Status.FAIL)
    assert "wsb build" in other.hint
    assert ask("environment.python", None, "--plan", str(plan)).status is Status.FAIL
    assert ask("environment.prefix", None, "--plan", str(plan)).expected == "/nowhere"


def shadowed(folder: Path, name: str, text: str) -> dict[str, str]:
    """An environment in which a script comes before everything on PATH."""
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return {"PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}


def test_a_python_on_path_that_is_not_the_environments_is_found(ask, tmp_path: Path):
    env = shadowed(tmp_path, "python3", "#!/bin/sh\necho wsb-prefix:/usr\n")
    check = ask("environment.entry", None, env=env)
    assert check.status is Status.FAIL
    assert check.measured["python3"] == "/usr"
    assert "python3" in check.hint


def test_a_shells_start_up_file_that_leads_elsewhere_is_found(ask, tmp_path: Path):
    (tmp_path / ".bashrc").write_text("echo Welcome!\npython() { echo wsb-prefix:/from/bashrc; }\n")
    check = ask("environment.entry", None, env={"HOME": str(tmp_path)})
    assert check.status is Status.FAIL
    assert check.measured["bash -ic"] == "/from/bashrc"
    assert "sh -c" not in check.measured


def test_a_pip_of_another_environment_is_found(ask, tmp_path: Path):
    check = ask("environment.pip", None, env=shadowed(tmp_path, "pip", "#!/bin/sh\nexit 1\n"))
    assert (check.status, check.measured) == (Status.FAIL, str(tmp_path / "pip"))


def test_a_pip_whose_script_lies_in_the_environment_but_works_elsewhere_is_found(ask, tmp_path: Path):
    (tmp_path / "bin").mkdir()
    env = shadowed(tmp_path / "bin", "pip", "#!/bin/sh\necho 'pip 24.0 from /usr/lib/python3/dist-packages/pip (python 3.9)'\n")
    check = ask("environment.pip", {"prefix": str(tmp_path)}, env=env)
    assert check.status is Status.FAIL
    assert "/usr/lib/python3" in check.hint


def test_the_user_is_compared_with_who_was_asked_for(ask):
    assert ask("environment.user", {"user": {"uid": os.getuid(), "gid": os.getgid()}}).status is Status.PASS
    assert ask("environment.user", {"user": {"uid": os.getuid() + 1}}).status is Status.FAIL
    assert ask("environment.user", {"user": {"gid": os.getgid() + 1}}).status is Status.FAIL


def test_a_home_that_is_not_there_is_found(ask, tmp_path: Path):
    assert ask("environment.home", None, env={"HOME": str(tmp_path)}).status is Status.PASS
    assert ask("environment.home", None, env={"HOME": str(tmp_path / "gone")}).status is Status.FAIL
    assert not list(tmp_path.iterdir())


def test_a_workspace_that_is_a_plain_folder_is_not_mounted(ask, tmp_path: Path):
    check = ask("environment.workspace", {"workspace": {"path": str(tmp_path)}})
    assert check.status is Status.FAIL
    assert (check.measured["mounted"], check.measured["writable"]) == (False, True)
    assert not list(tmp_path.iterdir())
    assert ask("environment.workspace", {"workspace": {"path": str(tmp_path / "gone")}}).status is Status.FAIL
    assert ask("environment.workspace").status is Status.SKIP


def test_a_mounted_workspace_passes_unless_its_files_belong_to_somebody_else(ask):
    mounted = {"path": "/dev/shm"}  # the one writable mount point that every Linux has
    assert ask("environment.workspace", {"workspace": mounted}).status is Status.PASS
    check = ask("environment.workspace", {"workspace": {**mounted, "uid": os.getuid() + 1}})
    assert (check.status, check.measured["uid"]) == (Status.FAIL, os.getuid())


def test_a_shm_smaller_than_planned_is_found(ask):
    facts = os.statvfs("/dev/shm")
    size = facts.f_blocks * facts.f_frsize
    assert ask("environment.shm", {"shm_bytes": size}).status is Status.PASS
    check = ask("environment.shm", {"shm_bytes": size + 1048576})
    assert check.status is Status.FAIL
    assert "run.shm_size" in check.hint


def test_resources_are_for_information(ask):
    check = ask("environment.resources")
    assert check.status is Status.PASS
    assert check.measured["cpus"] >= 1


def test_an_encoding_other_than_utf_8_is_found(ask):
    assert ask("environment.locale", None, env={"PYTHONIOENCODING": "latin-1"}).status is Status.FAIL
