"""Entry points → .run/*.run.xml, which PyCharm lists among its run configurations, and the checklist for the rest.

Every one runs with the project's interpreter: which that is can be said in no file of a project, so the checklist says it.
Elements that a release of PyCharm does not know are passed over by it, so there are few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from xml.sax.saxutils import quoteattr

from builder.model.plan import Plan
from builder.model.project import EntryPoint
from builder.render.names import SMOKE, WORKSPACE, image_tag, interpreter
from builder.render.templates import make_environment

CHECKLIST = ".devcontainer/PYCHARM.md"
_PROJECT = "$PROJECT_DIR$"


def run_configurations(entry_points: Sequence[EntryPoint], *, has_tests: bool) -> Iterator[tuple[str, str]]:
    """(path, text) of each configuration: the smoke test, pytest, the programs."""
    taken: set[str] = set()
    yield _file("wsb-smoke-test", taken), _python("wsb smoke test", SMOKE)
    if has_tests:
        yield _file("pytest", taken), _pytest()
    for one in entry_points:
        # $Prompt$ asks for the arguments when it is started
        parameters = "$Prompt$" if one.required else ""
        text = _python(one.path, f"{_PROJECT}/{one.path}", parameters=parameters)
        yield _file(one.path.removesuffix(".py"), taken), text


def _file(stem: str, taken: set[str]) -> str:
    """A file name of its own, also for paths that differ only in what no file name holds."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem)
    names = (f"{plain}{'' if number == 1 else f'-{number}'}" for number in count(1))
    name = next(name for name in names if name.lower() not in taken)
    taken.add(name.lower())
    return f".run/{name}.run.xml"


def _python(name: str, script: str, *, parameters: str = "") -> str:
    return _configuration(
        name,
        "PythonConfigurationType",
        "Python",
        {
            "INTERPRETER_OPTIONS": "",
            "PARENT_ENVS": "true",
            "SDK_HOME": "",
            "WORKING_DIRECTORY": _PROJECT,
            "IS_MODULE_SDK": "true",
            "ADD_CONTENT_ROOTS": "true",
            "ADD_SOURCE_ROOTS": "true",
            "SCRIPT_NAME": script,
            "PARAMETERS": parameters,
            "SHOW_COMMAND_LINE": "false",
            "EMULATE_TERMINAL": "true",
            "MODULE_MODE": "false",
        },
    )


def _pytest() -> str:
    return _configuration(
        "pytest",
        "tests",
        "py.test",
        {
            "SDK_HOME": "",
            "WORKING_DIRECTORY": _PROJECT,
            "IS_MODULE_SDK": "true",
            "_new_target": f'"{_PROJECT}"',
            "_new_targetType": '"PATH"',
        },
    )


def _configuration(name: str, kind: str, factory: str, options: Mapping[str, str]) -> str:
    lines = [
        '<component name="ProjectRunConfigurationManager">',
        f'  <configuration default="false" name={quoteattr(name)} type="{kind}" factoryName="{factory}">',
        '    <envs><env name="PYTHONUNBUFFERED" value="1" /></envs>',
        *(f"    <option name={quoteattr(key)} value={quoteattr(value)} />" for key, value in options.items()),
        '    <method v="2" />',
        "  </configuration>",
        "</component>",
    ]
    return "\n".join(lines) + "\n"


def checklist(plan: Plan, templates: Mapping[str, str], *, has_gpu_file: bool) -> str:
    """The few clicks that no file can replace, with this plan's own paths. templates: of devcontainer/."""
    facts = {
        "name": plan.name,
        "image": image_tag(plan),
        "interpreter": interpreter(plan),
        "workspace": WORKSPACE,
        "file": ".devcontainer/gpu/devcontainer.json" if has_gpu_file else ".devcontainer/devcontainer.json",
        "has_gpu_file": has_gpu_file,
        "smoke": SMOKE,
        "run_options": " ".join(["--shm-size", plan.run.shm_size]),
    }
    return make_environment(templates).get_template("ide/pycharm.md.j2").render(facts).rstrip("\n") + "\n"
