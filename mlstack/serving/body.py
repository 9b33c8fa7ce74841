"""Reads a request's body, also from clients that stall or disconnect."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from flask import Request
from gunicorn.http.errors import NoMoreData, ParseException

from mlstack.web.bodies import LARGEST_DISCARD, check_length
from mlstack.web.problems import MalformedJSON, Problem

_STEP = 64 * 1024
_DISCARD_SECONDS = 2.0  # a thread is not held for longer


class SlowRequest(Problem):
    """The client stopped sending in the middle of its body."""

    status = 408


def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body; raise a Problem if it has over `limit` bytes, stalls or is badly framed.

    Read from gunicorn directly: Flask's own limit cuts a chunked body silently instead of refusing it.
    """
    declared = request.content_length or 0
    check_length(declared, limit)
    try:
        body: bytes = request.environ["wsgi.input"].read(limit + 1)
    except BlockingIOError:  # the socket's receive time-out
        raise SlowRequest("expected the whole body; the client sent nothing more in time") from None
    except (ParseException, NoMoreData) as error:
        raise MalformedJSON(f"the body is badly framed: {type(error).__name__}") from None
    check_length(len(body), limit)
    if len(body) < declared:
        raise MalformedJSON(f"expected {declared} bytes of body, got {len(body)}")
    return body


def discard_body(request: Request) -> None:
    """Read and drop the rest of a refused body, up to LARGEST_DISCARD bytes.

    gunicorn itself drops at most 64 KiB, then closes the connection although its response said keep-alive: a
    client that is still sending would not receive the response.
    """
    with suppress(OSError, ParseException):  # gunicorn then closes the connection
        for _ in range(LARGEST_DISCARD // _STEP):
            if not request.environ["wsgi.input"].read(_STEP):
                return


def discard_rest(client: socket.socket) -> None:
    """Read and drop what still comes after a last response, until the client closes.

    Closing at once would reset the connection, and nginx, which is still sending a body, would take the
    replica for a failed one and ask the next.
    """
    deadline = time.monotonic() + _DISCARD_SECONDS
    with suppress(OSError):  # the client is gone, or sends nothing more
        client.shutdown(socket.SHUT_WR)
        for _ in range(LARGEST_DISCARD // _STEP):
            client.settimeout(max(deadline - time.monotonic(), 0.001))
            if not client.recv(_STEP):
                return
