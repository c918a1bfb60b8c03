"""A two-megabyte image for engine tests: a static busybox from Debian, made once per engine and kept.

Needs neither a registry nor a build: `apt-get download busybox-static`, unpacked and imported.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from builder.engine.base import Engine

TINY = "wsbtest/tiny:1"
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n"
_GROUP = b"root:x:0:\nvideo:x:44:\ndev:x:1000:\n"


def tiny_image(engine: Engine) -> str:
    """The name of the image, which the engine holds afterwards. Skips the test where no busybox can be had."""
    if engine.image(TINY) is None:
        engine.import_rootfs(io.BytesIO(_rootfs(_busybox())), TINY, ["ENV PATH=/bin", "LABEL dev.wsb.test=tiny"])
    return TINY


def _busybox() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        for command in (["apt-get", "download", "busybox-static"], ["sh", "-c", "dpkg-deb -x busybox-static_*.deb ."]):
            if shutil.which(command[0]) is None:
                pytest.skip(f"needs {command[0]} to fetch Debian's busybox-static")
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"cannot fetch Debian's busybox-static: {done.stderr.strip()}")
        return Path(folder, "bin", "busybox").read_bytes()


def _rootfs(busybox: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "etc", "home", "home/dev", "root", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        for name, content in (("bin/busybox", busybox), ("etc/passwd", _PASSWD), ("etc/group", _GROUP)):
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(content), 0o755 if name == "bin/busybox" else 0o644
            tar.addfile(file, io.BytesIO(content))
        for applet in _APPLETS.split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return out.getvalue()


_APPLETS = (
    "[ ash cat chmod chown cp cut date df dd echo env false find free grep head hostname id kill ls md5sum mkdir mkfifo mv "
    "nc printf ps pwd readlink rm sed seq sh sleep sort stat stty tail tee test timeout touch tr true tty uname wc yes"
)
