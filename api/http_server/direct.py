"""Fast path for short POST requests: no asyncio task, no ASGI messages.

uvicorn's dispatch costs more than a whole prediction. A request that arrived in one piece, on a connection
without another request in progress, is offered to the application's `direct` handler first. A request that it
declines, and every unusual one, is dispatched by uvicorn as usual.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import httptools

from api.http_server.bounded_heads import BoundedHeads
from api.http_server.exchange import DirectExchange

Headers = list[tuple[bytes, bytes]]


class DirectHandler(Protocol):
    """Answers plain requests to one path."""

    path: bytes
    max_body_bytes: int

    def take(self, headers: Headers, body: bytes, protocol: DirectProtocol) -> DirectExchange | None:
        """Accept a request and return its exchange, which the response completes; or return None."""


class DirectProtocol(BoundedHeads):
    """uvicorn's HTTP/1.1 protocol with this fast path."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.raw_transport = transport
        self.idle_since = 0.0
        self._handler: DirectHandler = self.app_state["direct"]
        self._path = self._handler.path
        self._direct = False  # the request being received may take the fast path
        self._body = b""

    def data_received(self, data: bytes) -> None:
        """Parse received bytes; uvicorn dispatches a request that is incomplete at their end."""
        self.preceded = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._direct = False
            self.send_400_response("expected an HTTP request")
        except httptools.HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        else:
            if self._direct:
                self._dispatch_by_uvicorn()
            elif self.in_head:
                self.bound_head(len(data))

    def on_message_begin(self) -> None:
        """Begin a request; uvicorn's objects for it are created only if uvicorn dispatches it."""
        self.begin_head()
        self.url = b""
        self.headers = []
        self._body = b""
        self._direct = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Decide whether the request may take the fast path."""
        self.in_head = False
        parser, cycle = self.parser, self.cycle
        self._direct = (
            self.url == self._path
            and (cycle is None or cycle.response_complete)
            and parser.get_method() == b"POST"
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
            and not self.flow.write_paused
        )
        if not self._direct:
            self._begin_uvicorn_request()

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self.in_head, self.preceded = False, True
        if self._direct:
            self._body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Offer the complete request to the handler."""
        self.preceded = True
        if self._direct:
            self._direct = False
            exchange = None
            if len(self._body) <= self._handler.max_body_bytes:
                exchange = self._handler.take(self.headers, self._body, self)
            if exchange is not None:
                self.cycle = exchange  # type: ignore[assignment]
                return
            self._dispatch_by_uvicorn()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Continue with the next pipelined request, or wait for one."""
        if self.pipeline or self.flow.read_paused or self.raw_transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._check_idle_after(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it was idle for long enough; one timer serves many requests."""
        self.timeout_keep_alive_task = None
        if self.cycle is not None and not self.cycle.response_complete:
            return
        remaining = self.idle_since + self.timeout_keep_alive - self.loop.time()
        if remaining > 0:
            self._check_idle_after(remaining)
        else:
            super().timeout_keep_alive_handler()

    def _check_idle_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _dispatch_by_uvicorn(self) -> None:
        self._direct = False
        self._begin_uvicorn_request()
        if self._body:
            super().on_body(self._body)

    def _begin_uvicorn_request(self) -> None:
        self._unset_keepalive_if_required()
        self.bound_pipeline()
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()
