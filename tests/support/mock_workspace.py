"""A workspace without torch on an engine of the test run's own: Debian, its Python, the probes and a plan, and nothing else.

Enough for the whole way of `wsb test --gpu` and `wsb run --gpus` up to the device, in a minute and 150 MB.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from builder import pipeline
from builder.assets import probe_sources
from builder.engine.base import BuildRequest
from builder.engine.context import build_context
from builder.engine.docker_sdk import DockerEngine
from builder.host.local import proxies
from builder.model.files import File, FileSet
from builder.model.host import Host
from tests.support.debian_image import debian_image

NAME = "wsbtest-mock"
SPEC = f"name: {NAME}\ntorch: none\nmanager: venv\nbase: debian:bookworm-slim\nuser: {{name: dev, uid: 1000}}\nide: []\n"
DOCKERFILE = """\
FROM wsbtest/debian:bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-minimal python3 \
 && ln -s python3 /usr/bin/python && useradd --uid 1000 --create-home dev && groupadd --gid 900 wsb
COPY wsb /opt/wsb
USER dev
"""


def mock_workspace(engine: DockerEngine, folder: Path, cache_dir: Path, variant: str | None = None) -> Path:
    """The project's folder; its image is on the engine afterwards. variant: what its plan claims torch was built for."""
    debian_image(engine, cache_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wsb.yaml").write_text(SPEC)
    workspace = pipeline.read(folder)
    plan = pipeline.decide(workspace, Host(os="linux", arch="x86_64", driver=None, gpus=()))
    document = {**pipeline.document(plan), "python": "3.11", "environment": {"name": NAME, "prefix": "/usr"}}
    document.pop("digest")
    if variant:
        document["torch"] = {"version": "2.6.0", "variant": variant}
    labels = {"dev.wsb.plan.digest": plan.digest, "dev.wsb.inputs": workspace.inputs_digest}
    lines = "".join(f"LABEL {name}={value}\n" for name, value in labels.items())
    files = [File(path="Dockerfile", content=(DOCKERFILE + lines).encode())]
    files.append(File(path="wsb/plan.json", content=json.dumps(document).encode()))
    files += [File(path=f"wsb/probes/{name}", content=text.encode()) for name, text in probe_sources().items()]
    request = BuildRequest(
        tag=f"{NAME}:latest",
        context=build_context(FileSet(tuple(files))),
        args=proxies(os.environ),
        network="host",  # the machine's own way out, whatever it is
    )
    engine.build(request, lambda _: None)
    return folder
