"""Reading a request's body, whatever the client does while it sends it."""

from __future__ import annotations

from flask import Request
from gunicorn.http.errors import NoMoreData, ParseException

from pipeline.problems import MalformedJSON, Problem


class SlowRequest(Problem):
    """The client stopped sending in the middle of its body."""

    status = 408


def read_body(request: Request) -> bytes:
    """Return the whole body; raise a Problem if it stalls, ends early or is badly framed."""
    try:
        body = request.get_data(cache=False)
    except BlockingIOError:  # the receive time-out of the socket
        raise SlowRequest("the body did not arrive in time") from None
    except (ParseException, NoMoreData) as error:
        raise MalformedJSON(f"the body is badly framed: {type(error).__name__}") from None
    if request.content_length is not None and len(body) < request.content_length:
        raise MalformedJSON(f"expected {request.content_length} bytes of body, got {len(body)}")
    return body
