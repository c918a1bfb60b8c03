"""Records how an engine answers builds, for the unit tests of builder.engine.stream.

    python -m tests.support.record_stream tests/unit/engine/recorded/docker-20.10.24

Builds a few Dockerfiles on the tiny image in both of the builders' languages, the first of them twice (the second time out
of the cache), and writes the streams as they came, one file each. Podman answers both in the same way. Run it by hand
against an engine that says something new, and read the difference.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
from pathlib import Path

from builder.engine.connect import connect
from builder.engine.docker_sdk import DockerEngine
from tests.support.tiny_image import tiny_image

DOCKERFILES = {
    "stages": """\
FROM {tiny} AS one
RUN : {nonce}; echo hello; echo err >&2; printf 'no newline é'
FROM {tiny} AS two
ENV X=1
COPY --from=one /bin/busybox /copied
RUN echo two $X
""",
    "fails": """\
FROM {tiny} AS torch
RUN for i in $(seq 1 30); do echo line $i; done; exit 3
""",
    "mistyped": "FROM {tiny}\nRUNN true\n",
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    api = connect(os.environ)
    tiny = tiny_image(DockerEngine(api))
    for name, dockerfile in DOCKERFILES.items():
        for builder, version in (("buildkit", "2"), ("classic", "1")):
            nonce = os.urandom(4).hex()
            for again in ("", "-again") if name == "stages" else ("",):
                response = api._post(
                    api._url("/build"),
                    params={"version": version, "rm": "1", "forcerm": "1"},
                    data=_context(dockerfile.format(tiny=tiny, nonce=nonce)),
                    headers={"Content-Type": "application/x-tar"},
                    timeout=None,
                )
                (folder / f"{name}-{builder}{again}.jsonl").write_bytes(response.content.replace(b"\r\n", b"\n"))


def _context(dockerfile: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile.encode())
        tar.addfile(member, io.BytesIO(dockerfile.encode()))
    return out.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
