"""Reading a request's body, whatever the client does while it sends it."""

from __future__ import annotations

from contextlib import suppress

from flask import Request
from gunicorn.http.errors import NoMoreData, ParseException

from mlstack.web.bodies import LARGEST_DISCARD, check_length
from mlstack.web.problems import MalformedJSON, Problem

_STEP = 64 * 1024


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
    except BlockingIOError:  # the receive time-out of the socket
        raise SlowRequest("expected the whole body; nothing more came for too long") from None
    except (ParseException, NoMoreData) as error:
        raise MalformedJSON(f"the body is badly framed: {type(error).__name__}") from None
    check_length(len(body), limit)
    if len(body) < declared:
        raise MalformedJSON(f"expected {declared} bytes of body, got {len(body)}")
    return body


def discard_body(request: Request) -> None:
    """Read what is left of a refused body, up to LARGEST_DISCARD bytes.

    Otherwise gunicorn, which skips 64 KiB at most, would cut a connection that it has just said to keep,
    and a client that is still sending would never see its answer.
    """
    with suppress(OSError, ParseException):  # then gunicorn knows and closes the connection
        for _ in range(LARGEST_DISCARD // _STEP):
            if not request.environ["wsgi.input"].read(_STEP):
                return
