"""Reading a request's body, whatever the client does while it sends it."""

from __future__ import annotations

from flask import Request
from gunicorn.http.errors import NoMoreData, ParseException

from pipeline.instances import check_length
from pipeline.problems import MalformedJSON, Problem


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
