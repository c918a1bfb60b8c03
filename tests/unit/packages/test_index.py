"""A name asked of an index: JSON and HTML, credentials, and what is said when it does not answer."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from builder.catalog import load
from builder.errors import WsbError
from builder.model.values import Manager
from builder.packages.availability import Target
from builder.packages.index import Index, IndexFile, UnreachableError
from builder.packages.verify import look_up, verify_pip

HERE = Target(python="3.11", arch="x86_64", glibc=(2, 36))
WHEEL = "pkg-1.0-py3-none-any.whl"
HTML = (
    f'<a href="../x/{WHEEL}#sha256=1" data-requires-python="&gt;=3.8">{WHEEL}</a>\n'
    '<a data-yanked="bad" href="y">pkg-1.1.tar.gz</a>'
)


@contextmanager
def index(body: str = HTML, kind: str = "text/html", code: int = 200) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """(address, headers of every request) of an index that has `pkg` and nothing else."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({**dict(self.headers.items()), "path": self.path})
            self.send_response(code if self.path == "/simple/pkg/" else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}/simple", asked
    finally:
        server.shutdown()
        server.server_close()


def test_html_and_json_are_read_alike() -> None:
    files = (IndexFile(name=WHEEL, requires_python=">=3.8"), IndexFile(name="pkg-1.1.tar.gz", is_yanked=True))
    rows = [{"filename": WHEEL, "requires-python": ">=3.8"}, {"filename": "pkg-1.1.tar.gz", "yanked": "bad"}]
    with index() as (address, _):
        assert Index(url=f"http://{address}/").files("Pkg") == files
    with index(json.dumps({"files": rows}), "application/vnd.pypi.simple.v1+json") as (address, _):
        assert Index(url=f"http://{address}").files("pkg") == files


def test_a_name_that_is_not_there_is_none_and_not_an_error() -> None:
    with index() as (address, asked):
        assert Index(url=f"http://{address}").files("No_Such.Name") is None
        assert asked[0]["path"] == "/simple/no-such-name/"


def test_credentials_come_from_the_address_or_netrc_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    with index() as (address, asked):
        named = Index(url=f"http://user:p%40ss@{address}")
        named.files("pkg")
        Index(url=f"http://{address}", home=tmp_path).files("pkg")
        assert named.shown == f"http://{address}"
    logins = [base64.b64decode(one["Authorization"].split()[1]).decode() for one in asked]
    assert logins == ["user:p@ss", "me:s3cret"]


@pytest.mark.parametrize(("code", "says"), [(401, "wants a login"), (503, "HTTP 503")])
def test_a_refusal_is_said_as_it_is(code: int, says: str) -> None:
    with index(code=code) as (address, _), pytest.raises(UnreachableError, match=says):
        Index(url=f"http://{address}").files("pkg")


@pytest.mark.parametrize("body", ["{", "[]", '{"files": 1}'])
def test_an_answer_that_is_no_list_is_no_absence(body: str) -> None:
    with index(body, "application/vnd.pypi.simple.v1+json") as (address, _), pytest.raises(UnreachableError):
        Index(url=f"http://{address}").files("pkg")


def verify(item: str, *indexes: Index) -> str:
    return verify_pip(item, indexes, HERE, load(), Manager.VENV).warning


def test_offline_is_a_warning_and_not_a_refusal() -> None:
    warning = verify("einops", Index(url="http://127.0.0.1:1/simple"))
    assert warning.startswith("whether einops exists could not be asked; 127.0.0.1: ")
    assert warning.endswith("it is written down unchecked")


def test_the_next_index_is_asked_when_one_has_not_the_name() -> None:
    with index() as (first, _), index(HTML.replace("pkg", "other")) as (second, _):
        assert verify("pkg", Index(url=f"http://{first}"), Index(url=f"http://{second}")) == ""
        silent = Index(url="http://127.0.0.1:1/simple")
        assert verify("pkg", silent, Index(url=f"http://{first}")) == ""
        found = look_up("pkg", [silent, Index(url=f"http://{first}")], HERE)
        assert found.document("pkg")["version"] == "1.0"


def test_a_name_that_no_index_has_is_refused_with_what_is_near() -> None:
    with index() as (address, _), pytest.raises(WsbError) as caught:
        verify("opencv-pyton", Index(url=f"http://{address}"))
    assert caught.value.code == "no-such-package"
    assert "did you mean opencv-python?" in caught.value.hints


def test_a_release_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with index() as (address, _), pytest.raises(WsbError) as caught:
        verify("pkg==3", Index(url=f"http://{address}"))
    assert caught.value.hints == ("there are 1.0",)


def test_an_address_is_left_to_the_build() -> None:
    assert verify("clip @ git+https://github.com/openai/CLIP.git", Index(url="http://127.0.0.1:1")) == ""
