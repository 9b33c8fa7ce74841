"""FastAPI dependencies of the routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from api.http_server.asgi import Receive, Scope, Send, send_body
from api.http_server.compression import encode_answer
from api.http_server.memory import Share
from api.service import Service
from mlstack.web.api_keys import HEADER

PIECE_BYTES = 128 << 10


def _service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


async def require_key(request: Request) -> None:
    """Raise Unauthorized unless the API key is valid or the path needs none."""
    key = request.headers.get(HEADER)
    _service(request).keys.check(request.url.path, key.encode() if key else None)


CurrentService = Annotated[Service, Depends(_service)]


async def _share(service: CurrentService) -> AsyncIterator[Share]:
    """Give a request its share of the memory until its response is sent."""
    with service.memory.share() as share:
        yield share


CurrentShare = Annotated[Share, Depends(_share)]


async def _until_sent() -> AsyncIterator[AsyncExitStack]:
    """Keep what is entered until the response is sent."""
    async with AsyncExitStack() as stack:
        yield stack


UntilSent = Annotated[AsyncExitStack, Depends(_until_sent)]


class WholeResponse(Response):
    """A response in one piece, compressed where it pays; it counts as sent when the client has taken it."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
        body, coding = await encode_answer(bytes(self.body), accepted)
        headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        headers += [*coding, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send_body(send, body)


class ResponseInPieces(Response):
    """A response of which no more than a piece is buffered: many may share a long body."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it as fast as the client takes it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for start in range(0, len(body), PIECE_BYTES):
            piece = bytes(body[start : start + PIECE_BYTES])
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # the transport gets it at the end of this turn of the event loop
        await send({"type": "http.response.body"})
