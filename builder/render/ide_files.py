"""Plan and entry points → the files IDEs read: .devcontainer/, .vscode/, .run/ and PyCharm's checklist.

They are written into the project and never sent to a build: changing one must not rebuild anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from builder.model.files import File, FileSet
from builder.model.plan import Plan
from builder.model.project import EntryPoint
from builder.model.values import Ide
from builder.render import pycharm, vscode
from builder.render.devcontainer import Parts, devcontainer_files


def ide_files(
    plan: Plan, entry_points: Sequence[EntryPoint], *, has_tests: bool, parts: Parts, templates: Mapping[str, str]
) -> FileSet:
    """Everything for the IDEs of this plan; empty when there are none.

    has_tests: whether the project has a test that pytest would find. parts, templates: of devcontainer/.
    """
    if not plan.ide:
        return FileSet(())
    containers = devcontainer_files(plan, parts)
    files = [_json(path, document) for path, document in containers.items()]
    if Ide.VSCODE in plan.ide:
        # these two belong to the person: where there are some, they stay
        files.append(_json(".vscode/launch.json", vscode.launch(entry_points), yields=True))
        has_jupyter = Ide.JUPYTER in plan.ide
        files.append(_json(".vscode/tasks.json", vscode.tasks(entry_points, has_jupyter=has_jupyter), yields=True))
    if Ide.PYCHARM in plan.ide:
        files += [_text(path, text) for path, text in pycharm.run_configurations(entry_points, has_tests=has_tests)]
        has_gpu_file = ".devcontainer/gpu/devcontainer.json" in containers
        files.append(_text(pycharm.CHECKLIST, pycharm.checklist(plan, templates, has_gpu_file=has_gpu_file)))
    return FileSet(tuple(files))


def _json(path: str, document: Mapping[str, Any], *, yields: bool = False) -> File:
    return _text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n", yields=yields)


def _text(path: str, text: str, *, yields: bool = False) -> File:
    return File(path=path, content=text.encode("utf-8"), yields=yields)
