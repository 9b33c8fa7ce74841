"""A whole, plain POST of a few bytes goes straight to whoever answers it: no task, no ASGI messages.

uvicorn's own way costs more than all that happens to a prediction. So a request that came in one piece, on a
connection with nothing else under way, is offered to the application's `direct` handler first. What that
declines, and everything unusual, takes uvicorn's way as if nothing had been tried.
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
        """Take a request and return the exchange that its response ends; or decline it."""


class DirectProtocol(BoundedHeads):
    """uvicorn's HTTP/1.1 protocol with that short way."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        super().connection_made(transport)
        self.raw_transport = transport
        self.idle_since = 0.0
        self._handler: DirectHandler = self.app_state["direct"]
        self._path = self._handler.path
        self._direct = False  # the request that is being received may take the short way
        self._body = b""

    def data_received(self, data: bytes) -> None:
        """Parse what came; the request that is not whole by its end takes uvicorn's way."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._direct = False
            self.send_400_response("expected an HTTP request")
        except httptools.HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        else:
            if self._direct:
                self._take_uvicorns_way()
            elif self.in_head:
                self.bound_head(len(data))

    def on_message_begin(self) -> None:
        """Begin a request; what uvicorn needs of it is made when it takes uvicorn's way."""
        self.begin_head()
        self.url = b""
        self.headers = []
        self._body = b""
        self._direct = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Decide which way the request takes."""
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
            self._begin_uvicorns_way()

    def on_body(self, body: bytes) -> None:
        """Gather the body."""
        self.in_head = False
        if self._direct:
            self._body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Offer the whole request to the handler."""
        if self._direct:
            self._direct = False
            exchange = None
            if len(self._body) <= self._handler.max_body_bytes:
                exchange = self._handler.take(self.headers, self._body, self)
            if exchange is not None:
                self.cycle = exchange  # type: ignore[assignment]
                return
            self._take_uvicorns_way()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        if self.pipeline or self.flow.read_paused or self.raw_transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_whether_idle(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if nothing has come for long enough: one timer serves many requests."""
        self.timeout_keep_alive_task = None
        if self.cycle is not None and not self.cycle.response_complete:
            return
        remaining = self.idle_since + self.timeout_keep_alive - self.loop.time()
        if remaining > 0:
            self._look_whether_idle(remaining)
        else:
            super().timeout_keep_alive_handler()

    def _look_whether_idle(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _take_uvicorns_way(self) -> None:
        self._direct = False
        self._begin_uvicorns_way()
        if self._body:
            super().on_body(self._body)

    def _begin_uvicorns_way(self) -> None:
        self._unset_keepalive_if_required()
        self.bound_pipeline()
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()
