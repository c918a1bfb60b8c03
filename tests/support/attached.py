"""A process that does with its own terminal what `wsb run` does.

python -m tests.support.attached [--tty] LABEL IMAGE COMMAND…
"""

from __future__ import annotations

import os
import sys

from builder.engine.base import ContainerRequest
from builder.engine.docker_sdk import DockerEngine


def main(arguments: list[str]) -> int:
    has_tty = arguments[0] == "--tty"
    label, image, *command = arguments[has_tty:]
    engine = DockerEngine.connect(os.environ)
    request = ContainerRequest(image=image, command=command, has_tty=has_tty, keeps_stdin=True, labels={"dev.wsb.test": label})
    return engine.attach(request)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
