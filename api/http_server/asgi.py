"""ASGI functions for the hot path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mlstack.web.bodies import LARGEST_DISCARD
from mlstack.web.problems import MalformedJSON, Problem, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class ClientGone(ConnectionError):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """Return the whole body; raise TooLarge if it is longer than `limit` bytes.

    The rest of a body that is too long is read, up to LARGEST_DISCARD bytes, and dropped.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    size = len(body)
    while message.get("more_body", False) and size <= LARGEST_DISCARD:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            body += chunk
    if size > limit:
        raise TooLarge(f"expected a body of at most {limit} bytes")
    return body


async def send_json(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a whole response; `headers` must name the content type."""
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, problem: Problem, request_id: str) -> None:
    """Send the problem document."""
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers().items()]
    headers.append((b"x-request-id", request_id.encode()))
    if isinstance(problem, TooLarge | MalformedJSON):
        headers.append((b"connection", b"close"))
    await send_json(send, problem.status, problem.body(request_id), headers)
