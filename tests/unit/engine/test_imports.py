"""What the command line pays for: the protocol, the fake and the display come without the SDK."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "module",
    ["builder.engine.base", "builder.engine.context", "builder.engine.steps", "builder.ui.progress", "builder.ui.build_log"],
)
def test_only_the_sdk_s_own_files_load_the_sdk(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({{'docker', 'requests', 'urllib3', 'yaml'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
