"""ASGI functions for the hot path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from api.http_server.memory import Share
from mlstack.web.bodies import LARGEST_DISCARD
from mlstack.web.problems import MalformedJSON, Problem, TooLarge, Unavailable

_LONG = 64 << 10  # bytes that a connection may buffer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class ClientGone(ConnectionError):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive, limit: int, share: Share) -> bytes:
    """Return the whole body; raise TooLarge if it is longer than `limit` bytes, Unavailable without memory.

    The rest of a body that is too long is read, up to LARGEST_DISCARD bytes, and dropped.
    """
    parts: list[bytes] = []
    size, more, no_room = 0, True, None
    while more and size <= LARGEST_DISCARD:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        part = message.get("body", b"")
        size += len(part)
        try:
            share.resize(size if no_room is None and size <= limit else 0)
            parts.append(part)
        except Unavailable as problem:
            no_room = problem
        if no_room is not None or size > limit:
            parts.clear()
    if size > limit:
        raise TooLarge(f"expected a body of at most {limit} bytes")
    if no_room is not None:
        raise no_room
    return parts[0] if len(parts) == 1 else b"".join(parts)


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
    if isinstance(problem, TooLarge | MalformedJSON):
        headers.append((b"connection", b"close"))
    await send_json(send, problem.status, problem.body(request_id), headers)
