"""A static HTTP server on loopback, for as long as a test needs it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes nothing down, unless a list was handed in."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, asked: list[str] | None = None, **kwargs: Any) -> None:
        self._asked = asked
        super().__init__(*args, **kwargs)

    def log_message(self, format: str, *args: Any) -> None:
        if self._asked is not None:
            self._asked.append(self.requestline)


@contextmanager
def serve(
    directory: Path, *, host: str = "127.0.0.1", asked: list[str] | None = None, tls: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """Serves `directory` and gives its address, without a slash at the end.

    host: 127.0.0.1, or the engine's bridge address for containers that do not share this machine's network.
    asked: collects the request lines. tls: certificate and key, for https.
    """
    server = ThreadingHTTPServer((host, 0), partial(_Quiet, directory=str(directory), asked=asked))
    server.daemon_threads = True
    scheme = "http"
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, name=f"serve {directory}", daemon=True)
    thread.start()
    try:
        yield f"{scheme}://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
