"""The reference, called L in the tables: raw ASGI without a framework, which returns the request's body."""

from __future__ import annotations

from api.http_server.asgi import Receive, Scope, Send, read_body
from api.http_server.memory import MemoryBudget

_memory = MemoryBudget(96 << 20)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with its own body; lifespan messages are not needed (uvicorn --lifespan off)."""
    assert scope["type"] == "http"
    with _memory.share() as share:
        body = await read_body(receive, 1 << 20, share)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
