"""The reference, called L in the tables: raw ASGI without a framework, which returns the request's body.

It runs as `python -m api` does: with the same settings of uvicorn, and head and body in one write.
"""

from __future__ import annotations

import os

import uvicorn

from api.http_server.asgi import Receive, Scope, Send, read_body
from api.http_server.memory import MemoryBudget
from api.http_server.single_write import SingleWrites

_memory = MemoryBudget(96 << 20)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with its own body; there are no lifespan messages."""
    assert scope["type"] == "http"
    with _memory.share() as share:
        body = await read_body(receive, 1 << 20, share)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http=SingleWrites,
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=75,
        backlog=2048,
    )
