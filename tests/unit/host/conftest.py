"""A host seen through nvidia-ml-py and the mock NVML: in a Python of its own, since a library is loaded once and for all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import mock_nvml

Seen = dict[str, Any]
_ASK = """
import json, sys
from pathlib import Path
from builder.host.local import local_host
from builder.ui.host_json import host_document
print(json.dumps(host_document(local_host(Path(sys.argv[1])))))
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return mock_nvml.build(tmp_path_factory.mktemp("nvml"))
    except mock_nvml.NoCompiler as error:
        pytest.skip(str(error))


@pytest.fixture
def see(library: Path, tmp_path: Path) -> Callable[..., Seen]:
    """Takes a function that writes the file of the mock NVML; gives the host as JSON. root: another file system's."""

    def seen(write: Callable[[Path], Path], root: Path = Path("/")) -> Seen:
        environ = {**os.environ, **mock_nvml.environment(library, write(tmp_path / "nvml-host"))}
        done = subprocess.run([sys.executable, "-c", _ASK, str(root)], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    return seen
