"""One build: the context goes up, the messages come back, and a build that nobody waits for any more is cancelled.

The HTTP exchange runs in a thread of its own. So Ctrl-C never lands inside a half-read response, and the stream can be
followed to its end after a cancel, which is when BuildKit has really stopped the step.
"""

from __future__ import annotations

import json
import queue
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import docker.errors
import requests

from builder.engine import translate
from builder.engine.base import BuildRequest, Event, Listener, StepFinished, StepProgress, StepStarted
from builder.engine.calls import BROKEN, Client, messages, socket_under, translated
from builder.engine.stream import BuildStream, Clock, Failure, Message
from builder.threads import start_deaf

_BLOCK: Final = 1 << 18
_CONTEXT: Final = ("wsb:context", "[internal] send build context")
_GRACE_S: Final = 10.0  # BuildKit ends a cancelled step with SIGKILL; this is for slow disks


class _Ended:
    """The last thing on the queue."""


class _Exchange:
    """The POST of one build, in its own thread: iterate for messages and events."""

    def __init__(self, api: Client, request: BuildRequest, clock: Clock) -> None:
        self.id = secrets.token_hex(16)
        self.speaks_buildkit = False
        self._api = api
        self._request = request
        self._clock = clock
        self._queue: queue.SimpleQueue[Message | Event | BaseException | type[_Ended]] = queue.SimpleQueue()
        self._response: requests.Response | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="wsb-build", daemon=True)

    def __iter__(self) -> Iterator[Message | Event]:
        start_deaf(self._thread)
        while True:
            item = self._queue.get()
            if item is _Ended:
                return
            if isinstance(item, BaseException):
                raise item
            assert not isinstance(item, type)
            yield item

    def cancel(self) -> None:
        """Stop the build on the engine and wait until it has stopped."""
        self._is_stopping = True
        if not self._thread.ident:
            return
        self._post_cancel()
        self._thread.join(_GRACE_S if self.speaks_buildkit else 1.0)
        if self._thread.is_alive() and self._response is not None:
            # the classic builder and Podman know no cancel: for them the end of the connection is the end of the build
            with suppress(Exception):
                socket_under(self._api._get_raw_response_socket(self._response)).shutdown(socket.SHUT_RDWR)
            self._thread.join(1.0)
        self._post_cancel()  # the first one may have come before the engine had registered the build

    def _post_cancel(self) -> None:
        with suppress(*BROKEN, docker.errors.DockerException):
            self._api._post(self._api._url("/build/cancel"), params={"id": self.id}, timeout=_GRACE_S)

    def _run(self) -> None:
        try:
            self._response = self._api._post(
                self._api._url("/build"),
                params=_params(self._request, self.id),
                data=self._body(),
                headers={"Content-Type": "application/x-tar"},
                stream=True,
                timeout=None,
            )
            self._api._raise_for_status(self._response)
            for message in messages(self._response):
                self.speaks_buildkit |= message.get("id") == "moby.buildkit.trace"
                self._queue.put(message)
        except BaseException as error:  # raised again where the messages are read
            self._queue.put(error)
        finally:
            self._queue.put(_Ended)

    def _body(self) -> Iterator[bytes]:
        id, name = _CONTEXT
        began = self._clock()
        sent = told = 0
        self._queue.put(StepStarted(id=id, name=name))
        with self._request.context() as tar:
            while block := tar.read(_BLOCK):
                if self._is_stopping:
                    raise ConnectionAbortedError("the build was cancelled")
                yield block
                sent += len(block)
                if sent - told >= 4 * _BLOCK:
                    told = sent
                    self._queue.put(StepProgress(id=id, what="sent", current=sent, total=0))
        self._queue.put(StepFinished(id=id, name=name, is_cached=False, seconds=self._clock() - began))


def build(api: Client, request: BuildRequest, listener: Listener, clock: Clock) -> str:
    """Build and return the image's id; nothing is tagged. Raises WsbError; on KeyboardInterrupt the build is cancelled."""
    stream = BuildStream(listener, clock)
    exchange = _Exchange(api, request, clock)
    doing = f"building {request.tag}"
    try:
        with translated(doing, lambda _, text, __: translate.build_failure(request.tag, Failure(message=text))):
            for item in exchange:
                if isinstance(item, Mapping):
                    stream.feed(item)
                else:
                    listener(item)
    except BaseException:
        exchange.cancel()
        raise
    failure = stream.failure()
    if failure:
        raise translate.build_failure(request.tag, failure)
    if not stream.image_id:
        raise translate.lost(doing, "its answer ended before the build did")
    return stream.image_id


def _params(request: BuildRequest, build_id: str) -> dict[str, Any]:
    # no `t`: the image is tagged once it is whole, so that a build that fails or is cancelled leaves no name behind
    params = {
        "version": "2",
        "buildid": build_id,
        "dockerfile": request.dockerfile,
        "buildargs": json.dumps(dict(request.args), sort_keys=True),
        "rm": "1",
        "forcerm": "1",
    }
    if request.target:
        params["target"] = request.target
    if request.labels:
        params["labels"] = json.dumps(dict(request.labels), sort_keys=True)
    if request.platform:
        params["platform"] = request.platform
    if request.network != "default":
        params["networkmode"] = request.network
    if not request.use_cache:
        params["nocache"] = "1"
    return params
