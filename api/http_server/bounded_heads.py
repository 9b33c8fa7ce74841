"""Bounds what a connection may hold before there is a request: its head, its trailers, and those that wait.

httptools keeps a header until its end comes, uvicorn every request of a pipeline; neither has a limit.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import httptools

from api.http_server.single_write import SingleWrites
from mlstack.web.problems import CONTENT_TYPE, problem_body
from mlstack.web.request_ids import request_id

_LARGEST_HEAD = 64 << 10  # bytes; the front door takes half of that
_MOST_PIPELINED = 64  # requests that wait on a connection for those before them


class BoundedHeads(SingleWrites):
    """uvicorn's HTTP/1.1 protocol with these limits; what is no HTTP is refused by a problem document."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        super().connection_made(transport)
        self.raw_transport = transport
        self.preceded = False  # by other bytes: a body, or a whole request, was among those just parsed
        self.begin_head()

    def begin_head(self) -> None:
        """Expect the head of a request."""
        self.in_head = True  # or in the trailers after a body in chunks
        self._head_bytes = 0

    def on_chunk_header(self) -> None:
        """Expect a chunk of the body, or the trailers."""
        self.in_head = True

    def bound_head(self, size: int) -> None:
        """Count the `size` bytes just parsed, which did not end the head; refuse one that is too long."""
        self._head_bytes += 0 if self.preceded else size
        if self._head_bytes > _LARGEST_HEAD:
            detail = f"expected at most {_LARGEST_HEAD} bytes of headers"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)

    def bound_pipeline(self) -> None:
        """Refuse a request that would wait behind too many on the same connection."""
        if len(self.pipeline) >= _MOST_PIPELINED:
            raise httptools.HttpParserError("too many pipelined requests")

    def send_400_response(self, _msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "expected an HTTP request")

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Send a problem and end the connection."""
        identifier = request_id(None)
        body = problem_body(status, detail, identifier)
        default = [
            f"{name.decode()}: {value.decode()}\r\n" for name, value in self.server_state.default_headers
        ]
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n{''.join(default)}content-type: {CONTENT_TYPE}\r\n"
            f"x-request-id: {identifier}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.raw_transport.write(head.encode() + body)
        self.raw_transport.close()
