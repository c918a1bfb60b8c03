"""A process that does with its own terminal what `wsb run` does.

python -m tests.support.attached [--tty] [--copy FILE] LABEL IMAGE COMMAND…
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from builder.engine.base import ContainerRequest
from builder.engine.docker_sdk import DockerEngine


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tty", action="store_true")
    parser.add_argument("--copy", type=Path, help="a file that gets what the engine hands over as a copy of the output")
    parser.add_argument("label")
    parser.add_argument("image")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    engine = DockerEngine.connect(os.environ)
    request = ContainerRequest(
        image=asked.image,
        command=asked.command,
        has_tty=asked.tty,
        keeps_stdin=True,
        labels={"dev.wsb.test": asked.label},
    )
    copied: list[bytes] = []
    code = engine.attach(request, copied.append)
    if asked.copy:
        asked.copy.write_bytes(b"".join(copied))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
