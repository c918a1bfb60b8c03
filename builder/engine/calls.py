"""What every call to an engine needs: errors in wsb's own words, the messages of a stream, the socket under a response."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import docker.errors
import requests
import requests.exceptions
import urllib3.exceptions

from builder.engine import translate
from builder.engine.stream import Message
from builder.errors import WsbError

# docker.APIClient. The SDK's stubs leave out what a BuildKit build needs of it: _post, _url and _raise_for_status.
Client = Any
Refusal = Callable[[str, str, int], WsbError]

# what the SDK lets through when the connection breaks in the middle
BROKEN = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)


@contextmanager
def translated(doing: str, refusal: Refusal = translate.refused) -> Iterator[None]:
    """Turns what goes wrong in its body into a WsbError.

    doing: what is under way, such as "building wsb/mnist". refusal: makes the error for what the engine answered, from
    doing, its text and the HTTP status.
    """
    try:
        yield
    except docker.errors.APIError as error:
        status = error.response.status_code if error.response is not None else 0
        raise refusal(doing, str(error.explanation or error), status) from error
    except BrokenPipeError:  # of a listener whose own output was closed; the SDK wraps the engine's
        raise
    except BROKEN as error:
        raise translate.lost(doing, str(error)) from error
    except docker.errors.DockerException as error:
        raise refusal(doing, str(error), 0) from error


def messages(response: requests.Response) -> Iterator[Message]:
    """The JSON messages of a stream, one a line, as they arrive. What is no JSON object is skipped."""
    rest = b""
    for chunk in response.iter_content(chunk_size=None):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from filter(None, map(_message, lines))
    last = _message(rest)
    if last:
        yield last


def _message(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def socket_under(stream: Any) -> socket.socket:
    """The connection below the SDK's wrapping, without a time limit."""
    bare: socket.socket = getattr(stream, "_sock", stream)
    bare.settimeout(None)
    return bare
