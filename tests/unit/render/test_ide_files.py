"""What VS Code and PyCharm read beside the dev container: programs, tests, the checklist."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

from builder import assets
from builder.model.files import FileSet
from builder.model.plan import Plan
from builder.model.project import EntryPoint
from builder.model.values import Ide, Passthrough
from builder.render.ide_files import ide_files
from tests.unit.render.test_devcontainer import plan

TRAIN = EntryPoint(path="train.py", has_arguments=True)
CONVERT = EntryPoint(path="tools/a & b.py", has_arguments=True, required=("source",))


def files(a_plan: Plan | None = None, *entry_points: EntryPoint, has_tests: bool = True) -> FileSet:
    return ide_files(
        a_plan or plan(),
        entry_points or (TRAIN, CONVERT),
        has_tests=has_tests,
        parts=assets.devcontainer_parts(),
        templates=assets.devcontainer_templates(),
    )


def options(found: FileSet, path: str) -> dict[str, str]:
    root = ElementTree.fromstring(found[path])
    return {str(one.get("name")): str(one.get("value")) for one in root.iter("option")}


def test_without_an_ide_there_are_no_files() -> None:
    assert list(files(replace(plan(), ide=()))) == []


def test_each_ide_gets_its_own_files_and_no_others() -> None:
    for ides, vscode, pycharm in (((Ide.VSCODE,), True, False), ((Ide.PYCHARM,), False, True), ((Ide.JUPYTER,), False, False)):
        found = [file.path for file in files(replace(plan(), ide=ides))]
        assert any(path.startswith(".vscode/") for path in found) == vscode
        assert any(path.startswith(".run/") for path in found) == pycharm
        assert (".devcontainer/PYCHARM.md" in found) == pycharm
        assert ".devcontainer/devcontainer.json" in found


def test_every_program_has_a_run_configuration_with_the_projects_interpreter() -> None:
    found = files()
    assert options(found, ".run/train.run.xml")["SCRIPT_NAME"] == "$PROJECT_DIR$/train.py"
    assert options(found, ".run/tools-a-b.run.xml")["SCRIPT_NAME"] == "$PROJECT_DIR$/tools/a & b.py"
    assert options(found, ".run/wsb-smoke-test.run.xml")["SCRIPT_NAME"] == "/opt/wsb/probes/smoke.py"
    for file in found:
        if file.path.startswith(".run/"):
            one = ElementTree.fromstring(file.content).find("configuration")
            assert one is not None
            assert options(found, file.path)["IS_MODULE_SDK"] == "true"
            assert one.get("type") in ("PythonConfigurationType", "tests")


def test_a_program_that_does_not_start_without_arguments_asks_for_them() -> None:
    found = files()
    assert options(found, ".run/train.run.xml")["PARAMETERS"] == ""
    assert options(found, ".run/tools-a-b.run.xml")["PARAMETERS"] == "$Prompt$"
    launch = {one["name"]: one for one in json.loads(found[".vscode/launch.json"])["configurations"]}
    assert "args" not in launch["train.py"]
    assert launch["tools/a & b.py"]["args"] == "${command:pickArgs}"
    tasks = [one["label"] for one in json.loads(found[".vscode/tasks.json"])["tasks"]]
    assert "run train.py" in tasks
    assert "run tools/a & b.py" not in tasks


def test_pytest_is_offered_where_there_are_tests() -> None:
    assert ".run/pytest.run.xml" in files()
    assert ".run/pytest.run.xml" not in files(has_tests=False)


def test_two_programs_of_one_name_keep_apart() -> None:
    found = files(None, EntryPoint(path="a/run.py"), EntryPoint(path="a-run.py"), EntryPoint(path="a run.py"))
    scripts = [options(found, one.path)["SCRIPT_NAME"] for one in found if one.path.startswith(".run/a")]
    assert sorted(scripts) == ["$PROJECT_DIR$/a run.py", "$PROJECT_DIR$/a-run.py", "$PROJECT_DIR$/a/run.py"]


def test_vscodes_own_files_give_way_to_a_persons() -> None:
    assert {file.path for file in files() if file.yields} == {".vscode/launch.json", ".vscode/tasks.json"}


def test_the_checklist_has_the_exact_interpreter_and_the_file_to_open() -> None:
    text = files()[".devcontainer/PYCHARM.md"].decode()
    assert "    /opt/conda/envs/one/bin/python\n" in text
    assert "`.devcontainer/devcontainer.json`" in text
    assert "one:latest" in text
    with_gpu = files(replace(plan(), passthrough=Passthrough.CDI))[".devcontainer/PYCHARM.md"].decode()
    assert "`.devcontainer/gpu/devcontainer.json`" in with_gpu
    assert len(with_gpu.splitlines()) < 40
