"""uvicorn writes a response's head and body one after the other; this protocol hands them over as one.

A process that is killed in between would leave nginx with a head: too late to ask another replica.
It also saves a system call and a packet for each answer.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _JoiningTransport:
    """Gathers what is written in one turn of the event loop; everything else is the transport's own."""

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
        if data and not self.is_closing():  # the client may have gone in this very turn
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class SingleWrites(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol on such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        joining = _JoiningTransport(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", joining))
