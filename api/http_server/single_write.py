"""Writes a response's head and body together; uvicorn writes one after the other.

If the process is killed in between, nginx has received a head and cannot retry on another replica.
This also saves a system call and a packet for each response.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _JoiningTransport:
    """Joins the writes of one event-loop iteration; everything else goes to the transport."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._gathered = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if not self._gathered:
            self._call_soon(self._flush)
        self._gathered += data

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        data, self._gathered = self._gathered, b""
        if data and not self.is_closing():  # the client may have disconnected in this iteration
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class SingleWrites(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol on a joining transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        joining = _JoiningTransport(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", joining))
