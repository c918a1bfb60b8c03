"""An ssh server of this run's own on loopback, and a program `ssh` that knows it; the user's ssh is left alone."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support import engine as bring_up
from tests.support.polling import eventually
from tests.support.programs import programs


class SshServer:
    """folder: for keys and configuration. user: who may log in, without a password; default: whoever runs the tests.

    prefix: words that start the server somewhere else, such as in other namespaces.
    """

    def __init__(self, folder: Path, *, user: str = "", prefix: Sequence[str] = ()) -> None:
        self.folder = folder
        self.user = user or getpass.getuser()
        self._prefix = prefix
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin") is None or shutil.which("ssh") is None:
            bring_up.install("openssh-server", "openssh-client")
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("host", "user"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
        server = {
            "ListenAddress": "127.0.0.1",
            "Port": self.port,
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "user.pub",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PermitRootLogin": "yes",
            "PasswordAuthentication": "no",
        }
        (self.folder / "sshd_config").write_text("".join(f"{key} {value}\n" for key, value in server.items()))
        client = {"IdentityFile": self.folder / "user", "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
        text = "".join(f"  {key} {value}\n" for key, value in client.items())
        named = f"Host login\n  HostName 127.0.0.1\n  Port {self.port}\n  User {self.user}\n"
        (self.folder / "ssh_config").write_text(f"{named}Host *\n  LogLevel ERROR\n  IdentitiesOnly yes\n{text}")
        Path("/run/sshd").mkdir(exist_ok=True)  # where Debian's sshd wants to confine itself
        sshd = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin")
        assert sshd is not None
        with (self.folder / "log").open("wb") as log:
            words = [*self._prefix, sshd, "-D", "-e", "-f", str(self.folder / "sshd_config")]
            self._server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self._answers, f"sshd, see {self.folder}/log")

    def stop(self) -> None:
        if self._server is not None and not self._prefix:
            self._server.terminate()  # with a prefix it goes with the namespaces it was started in
            self._server.wait()

    @property
    def destination(self) -> str:
        return f"{self.user}@127.0.0.1:{self.port}"

    def path(self) -> str:
        """A PATH whose ssh reaches the server, which it also knows as `login`."""
        ssh = shutil.which("ssh")
        return programs(self.folder / "bin", ssh=f'exec {ssh} -F {self.folder}/ssh_config "$@"')

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0
