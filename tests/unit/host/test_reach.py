"""How a source answers: how fast, by which clock, and why not."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from builder.host.reach import measured
from tests.support.http_server import serve


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_source_that_sends_enough_has_a_speed_and_a_clock(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(bytes(1 << 18))
    with serve(tmp_path) as address:
        found = measured("pip", f"{address}/page", None, 20)
    assert found.why_not == ""
    assert found.bytes_per_s is not None
    assert found.clock_ahead_s is not None
    assert abs(found.clock_ahead_s) < 60


def test_a_source_that_sends_little_has_no_speed(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"little")
    with serve(tmp_path) as address:
        assert measured("pip", f"{address}/page", None, 20).bytes_per_s is None


def test_an_answer_that_the_page_is_not_there_is_the_source_s_own(tmp_path: Path) -> None:
    with serve(tmp_path) as address:
        found = measured("pip", f"{address}/none", None, 20)
    assert (found.why_not, found.clock_ahead_s is None) == ("", False)


def test_a_refused_connection_and_silence_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        held: list[socket.socket] = []
        threading.Thread(target=lambda: held.append(listening.accept()[0]), daemon=True).start()
        assert measured("pip", f"http://127.0.0.1:{port}/", None, 0.1).why_not == "127.0.0.1: no answer within 0.1 s"
    assert measured("pip", f"http://127.0.0.1:{port}/", None, 20).why_not == "127.0.0.1: connection refused"
