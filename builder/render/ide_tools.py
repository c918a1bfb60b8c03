"""What IDEs run inside the environment, so must be installed into it: a Jupyter kernel, a debugger, a notebook server."""

from __future__ import annotations

from builder.model.plan import Plan
from builder.model.values import Ide

# PyCharm brings its own debugger, but debugs notebooks with the one of their kernel.
TOOLS = {
    Ide.VSCODE: ("debugpy", "ipykernel"),
    Ide.PYCHARM: ("debugpy", "ipykernel"),
    Ide.JUPYTER: ("ipykernel", "jupyterlab"),
}


def ide_packages(plan: Plan) -> tuple[str, ...]:
    """pip's names, sorted; their versions follow from what the project's own packages leave free."""
    return tuple(sorted({name for ide in plan.ide for name in TOOLS[ide]}))


def kernel_title(plan: Plan) -> str:
    """How the environment's kernel is called in a notebook's list; "" when no IDE asked for one."""
    return f"{plan.name} (Python {plan.python})" if "ipykernel" in ide_packages(plan) else ""
