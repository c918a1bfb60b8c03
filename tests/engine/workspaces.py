"""The wsb command as a person types it, on small projects, for tests on a real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.under_test import container_of

WSB = (sys.executable, "-m", "builder")
PYTHON_PREFIX = "import sys; print(sys.prefix)"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def wsb(directory: Path, *words: str, stdin: str = "", **environment: str) -> Ran:
    """Run one command line in a folder. Its state goes below the folder's parent, never to this user's own."""
    env = {**os.environ, "XDG_STATE_HOME": str(directory.parent / "state"), **environment}
    done = subprocess.run([*WSB, *words], cwd=directory, input=stdin, capture_output=True, text=True, check=False, env=env)
    return Ran(done.returncode, done.stdout, done.stderr)


def project(folder: Path, **files: str) -> Path:
    """A project folder; a keyword wsb_yaml is the file wsb.yaml, and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text)
    return folder


# How people come into a container; each must find the environment's Python.
ENTRANCES = (
    ("python", "-c", PYTHON_PREFIX),
    ("sh", "-c", f"python -c '{PYTHON_PREFIX}'"),
    ("bash", "-c", f"python -c '{PYTHON_PREFIX}'"),
    ("bash", "-lc", f"python -c '{PYTHON_PREFIX}'"),
    ("bash", "-ic", f"python -c '{PYTHON_PREFIX}'"),
    ("sh", "-lc", f"python -c '{PYTHON_PREFIX}'"),
)


def prefixes(image: str, user: str) -> dict[str, str]:
    """How one came in → the sys.prefix found there: by `docker run` and by `docker exec`, as this user."""
    found = {}
    with container_of(image, user=user) as container:
        for words in ENTRANCES:
            code, (out, err) = container.exec_run(list(words), user=user, demux=True)
            assert code == 0, (words, err)
            found[f"exec {' '.join(words[:2])}"] = out.decode().strip()
            out = container.client.containers.run(image, list(words), user=user, remove=True, stderr=False)
            found[f"run {' '.join(words[:2])}"] = out.decode().strip()
        code, (out, _) = container.exec_run(["su", "-", "dev", "-c", ENTRANCES[2][2]], user="root", demux=True)
        found["su -"] = out.decode().strip()
    return found
