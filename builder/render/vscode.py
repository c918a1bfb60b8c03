"""Entry points → .vscode/launch.json and tasks.json: F5 debugs a program in the environment the container has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from builder.model.project import EntryPoint
from builder.render.names import SMOKE, WORKSPACE

FOLDER = "${workspaceFolder}"


def launch(entry_points: Sequence[EntryPoint]) -> dict[str, Any]:
    """launch.json: the file that is open, each program, and how pytest's tests are debugged."""
    return {
        "version": "0.2.0",
        "configurations": [
            _debug("Python: the file that is open", "${file}"),
            *(_debug(one.path, f"{FOLDER}/{one.path}", asks=bool(one.required)) for one in entry_points),
            _debug("Python: a test", "${file}") | {"purpose": ["debug-test"], "justMyCode": False},
            {
                "name": "Python: attach to debugpy on port 5678",
                "type": "debugpy",
                "request": "attach",
                "connect": {"host": "localhost", "port": 5678},
                "pathMappings": [{"localRoot": FOLDER, "remoteRoot": WORKSPACE}],
            },
        ],
    }


def _debug(name: str, program: str, *, asks: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "type": "debugpy",
        "request": "launch",
        "program": program,
        "cwd": FOLDER,
        "console": "integratedTerminal",
        # workers of a DataLoader are processes of their own: a breakpoint in a data set stops only so
        "subProcess": True,
    }
    if asks:
        found["args"] = "${command:pickArgs}"
    return found


def tasks(entry_points: Sequence[EntryPoint], *, has_jupyter: bool) -> dict[str, Any]:
    """tasks.json: the smoke test, the tests, each program without a debugger."""
    found = [
        _task("wsb: quick smoke test", ["python", SMOKE, "--quick"]),
        _task("wsb: every smoke test", ["python", SMOKE]),
        _task("pytest", ["python", "-m", "pytest"], group={"kind": "test", "isDefault": True}),
        *(_task(f"run {one.path}", ["python", one.path]) for one in entry_points if not one.required),
    ]
    if has_jupyter:
        lab = ["python", "-m", "jupyterlab", "--ip=127.0.0.1", "--port=8888", "--no-browser"]
        found.append(_task("Jupyter Lab", lab) | {"isBackground": True})
    return {"version": "2.0.0", "tasks": found}


def _task(label: str, words: Sequence[str], **more: Any) -> dict[str, Any]:
    return {
        "label": label,
        "type": "process",
        "command": words[0],
        "args": list(words[1:]),
        "options": {"cwd": FOLDER},
        "problemMatcher": [],
        **more,
    }
