"""A debugger's side of the Debug Adapter Protocol, over the pipes of an adapter, as an editor speaks it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import IO, Any


class Debugger:
    """One session with a running `python -m debugpy.adapter`. Its events are kept in the order they came."""

    def __init__(self, adapter: subprocess.Popen[bytes]) -> None:
        assert adapter.stdin
        assert adapter.stdout
        self._out: IO[bytes] = adapter.stdin
        self._in: IO[bytes] = adapter.stdout
        self._seq = 0
        self._events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}

    def send(self, command: str, **arguments: Any) -> int:
        """A request whose answer is fetched later; `launch` answers only after the configuration is done."""
        self._seq += 1
        body = json.dumps({"seq": self._seq, "type": "request", "command": command, "arguments": arguments}).encode()
        self._out.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._out.flush()
        return self._seq

    def answer(self, seq: int) -> Mapping[str, Any]:
        while seq not in self._answers:
            self._read()
        found = self._answers.pop(seq)
        assert found["success"], found
        body: Mapping[str, Any] = found.get("body") or {}
        return body

    def ask(self, command: str, **arguments: Any) -> Mapping[str, Any]:
        return self.answer(self.send(command, **arguments))

    def event(self, name: str) -> Mapping[str, Any]:
        """The next event of this name, waited for."""
        while True:
            for event in self._events:
                if event["event"] == name:
                    self._events.remove(event)
                    body: Mapping[str, Any] = event.get("body") or {}
                    return body
            if any(event["event"] == "terminated" for event in self._events):
                raise EOFError(f"the program ended without {name}; what was told: {self._events}")
            self._read()

    def _read(self) -> None:
        length = 0
        while line := self._in.readline().strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        if not length:
            raise EOFError(f"the adapter ended; what it had told: {self._events}")
        message = json.loads(self._in.read(length))
        if message["type"] == "event":
            self._events.append(message)
        elif message["type"] == "response":
            self._answers[message["request_seq"]] = message
