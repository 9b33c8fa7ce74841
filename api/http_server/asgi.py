"""ASGI functions for the hot path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from api.http_server.compression import Decompressor
from api.http_server.memory import Share
from mlstack.web.bodies import LARGEST_DISCARD
from mlstack.web.problems import DamagedBody, MalformedJSON, Problem, TooLarge

_LONG = 64 << 10  # bytes that a connection may buffer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class ClientGone(ConnectionError):
    """The client closed the connection before its request was complete."""


class _Body:
    """A body as it comes: counted, decompressed, and dropped once it is refused."""

    def __init__(self, coding: str, limit: int, share: Share) -> None:
        self.received = 0
        self._limit, self._share = limit, share
        self._parts: list[bytes] = []
        self._size = 0
        self._refusal: Problem | None = None
        self._decompressor: Decompressor | None = None
        if coding not in {"", "identity"}:
            with self._refusing():
                self._decompressor = Decompressor(coding)

    def add(self, part: bytes) -> None:
        """Keep a part, or what it decompresses to."""
        self.received += len(part)
        if self._refusal is None:
            with self._refusing():
                for piece in self._decompressor.pieces(part) if self._decompressor else (part,):
                    self._keep(piece)

    def whole(self) -> bytes:
        """Return all of it; raise what is wrong with it."""
        if self.received > self._limit:
            raise TooLarge(f"expected a body of at most {self._limit} bytes")
        if self._refusal is None and self._decompressor:
            self._decompressor.finish()
        if self._refusal is not None:
            raise self._refusal
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise TooLarge(f"expected a body of at most {self._limit} bytes, decompressed")
        self._share.resize(self._size)
        self._parts.append(piece)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except Problem as problem:
            self._refusal = problem
            self._parts.clear()
            self._share.resize(0)


async def read_body(receive: Receive, limit: int, share: Share, coding: bytes = b"") -> bytes:
    """Return the whole body, decompressed if `coding`, its Content-Encoding, says so.

    Raise TooLarge if it is, or decompresses to, more than `limit` bytes; Unavailable without memory;
    DamagedBody or UnsupportedCoding. The rest of a body that is refused is read, up to LARGEST_DISCARD bytes,
    and dropped.
    """
    body = _Body(coding.decode("latin-1").strip().lower(), limit, share)
    more = True
    while more and body.received <= LARGEST_DISCARD:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        body.add(message.get("body", b""))
    return body.whole()


async def send_json(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a whole response; `headers` must name the content type."""
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send_body(send, body)


async def send_body(send: Send, body: bytes) -> None:
    """Send a whole body in one piece; return when the client has taken all but the last few kilobytes.

    What is sent as the last piece is no longer waited for: so a long body is followed by an empty piece.
    """
    if len(body) > _LONG:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0)  # the transport gets it at the end of this turn of the event loop
        body = b""
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, problem: Problem, request_id: str) -> None:
    """Send the problem document."""
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers().items()]
    headers.append((b"x-request-id", request_id.encode()))
    if isinstance(problem, TooLarge | MalformedJSON | DamagedBody):
        headers.append((b"connection", b"close"))
    await send_json(send, problem.status, problem.body(request_id), headers)
