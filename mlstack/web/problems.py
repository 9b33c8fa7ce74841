"""Error responses: RFC 9457 problem details.

One class per status. The detail says what was expected; it is always a string.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

import msgspec

CONTENT_TYPE = "application/problem+json"
DETAILS = {  # of errors that the web frameworks answer
    404: "there is nothing at this path: start at GET /",
    405: "this path does not support this method: the header Allow lists the supported ones",
    500: "the server failed unexpectedly: its log has the reason",
}
FAILED = "the service could not finish this request: its log has the reason"


class Problem(Exception):
    """A request cannot be answered: the status, and one sentence that says why."""

    status: ClassVar[int] = 500

    def __init__(self, detail: str, retry_after: int | None = None) -> None:
        """`retry_after` is in seconds and becomes the header Retry-After."""
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after

    def body(self, request_id: str) -> bytes:
        """Return the problem document as JSON."""
        return problem_body(self.status, self.detail, request_id)

    def headers(self) -> dict[str, str]:
        """Return the headers that go with the body."""
        retry = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {"Content-Type": CONTENT_TYPE, **retry}


def problem_body(status: int, detail: str, request_id: str) -> bytes:
    """Return the problem document for any status, as JSON."""
    return msgspec.json.encode(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "request_id": request_id,
        }
    )


class MalformedJSON(Problem):
    """The body is not JSON."""

    status = 400


class DamagedBody(Problem):
    """The body is not what its Content-Encoding says."""

    status = 400


class Unauthorized(Problem):
    """The API key is missing or wrong."""

    status = 401

    def headers(self) -> dict[str, str]:
        """Return the headers that go with the body, with the challenge that RFC 9110 requires."""
        return {**super().headers(), "WWW-Authenticate": 'ApiKey header="X-API-Key"'}


class NotFound(Problem):
    """What the request names does not exist."""

    status = 404


class UnknownVersion(NotFound):
    """The model version asked for does not exist or may not be served."""


class Conflict(Problem):
    """The request contradicts an earlier one."""

    status = 409


class TooLarge(Problem):
    """The body is larger than the server accepts."""

    status = 413


class UnsupportedMediaType(Problem):
    """The body is not declared as JSON."""

    status = 415


class UnsupportedCoding(UnsupportedMediaType):
    """The body has a Content-Encoding that the server does not know."""

    def __init__(self, coding: str, known: tuple[str, ...]) -> None:
        """`known` are sent as Accept-Encoding, as RFC 9110 (section 15.5.16) has it."""
        self._known = ", ".join(known)
        super().__init__(f"expected Content-Encoding {self._known} or none; got {coding}")

    def headers(self) -> dict[str, str]:
        """Return the headers that go with the body, with the codings that the server knows."""
        return {**super().headers(), "Accept-Encoding": self._known}


class InvalidInput(Problem):
    """The body is JSON, but not of the shape, type or range the model takes."""

    status = 422


class Unavailable(Problem):
    """The server cannot answer now: no model, draining, overloaded, or the prediction cannot be logged."""

    status = 503

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        """`retry_after` is always sent."""
        super().__init__(detail, retry_after)
