"""A package index of one's own: tiny wheels on loopback, which can lie, break off, or want a password."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_DATE = (2024, 1, 1, 0, 0, 0)


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    requires: tuple[str, ...] = (),
    padding: int = 0,
    tag: str = "py3-none-any",
    note: str = "",
) -> Path:
    """A pure wheel with one module that says its version. padding: bytes of incompressible content more.

    tag: of its file name. note: text in its module, to tell it from others.
    """
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{name}.py": f"version = __version__ = {version!r}\nnote = {note!r}\n".encode(),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: wsb\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    if padding:
        blocks = (hashlib.sha256(str(count).encode()).digest() for count in range(padding // 32))
        files[f"{name}.bin"] = b"".join(blocks)
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(file, _DATE), content)
    return path


@dataclass
class Index:
    """What the server does. lies, breaks: file names whose content is one byte off, or ends half way.

    password: "user:password" without which nothing is given. asked: paths, with how often.
    """

    folder: Path
    url: str = ""
    lies: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    password: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    refused: int = 0


@contextmanager
def serve_index(folder: Path) -> Iterator[Index]:
    """Serves the wheels of a folder as a simple index at …/simple."""
    index = Index(folder)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            wanted = "Basic " + base64.b64encode(index.password.encode()).decode()
            if index.password and self.headers.get("Authorization") != wanted:
                index.refused += 1
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            index.asked[self.path] += 1
            self._answer(self.path.strip("/").split("/"))

        def _answer(self, parts: list[str]) -> None:
            if parts[0] == "simple" and len(parts) == 2:
                wheels = sorted(index.folder.glob(f"{parts[1].replace('-', '_')}-*.whl"))
                links = "".join(
                    f'<a href="/files/{one.name}#sha256={hashlib.sha256(one.read_bytes()).hexdigest()}">{one.name}</a>\n'
                    for one in wheels
                )
                self._send(200 if wheels else 404, f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode(), "text/html")
            elif parts[0] == "files" and (index.folder / parts[1]).is_file():
                content = (index.folder / parts[1]).read_bytes()
                if parts[1] in index.lies:
                    middle = len(content) // 2
                    content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
                self._send(200, content, "application/octet-stream", breaks=parts[1] in index.breaks)
            else:
                self._send(404, b"", "text/plain")

        def _send(self, status: int, content: bytes, kind: str, *, breaks: bool = False) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[: len(content) // 2] if breaks else content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, name="index", daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
