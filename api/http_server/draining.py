"""uvicorn, except that SIGTERM fails no request that has reached the service.

uvicorn would close idle connections at once, and its listening socket with the connections in the backlog.
Here they get two more seconds, and a response with `Connection: close`.
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
from contextlib import suppress

import uvicorn

from mlstack.web.draining import HANDSHAKE_SECONDS, ignore_new_connections

_LINGER_SECONDS = 2.0  # the same as in gunicorn's worker

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Serves an application whose lifespan state has a `service`."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Become unready, stop listening, answer requests on open connections for a while; then close."""
        logger.info("draining")
        self.lifespan.state["service"].draining = True
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await self._end_listening()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while self.server_state.connections:
                    await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    async def _end_listening(self) -> None:
        listeners = [listener.fileno() for server in self.servers for listener in server.sockets]
        for listener in listeners:
            ignore_new_connections(listener)
        await asyncio.sleep(HANDSHAKE_SECONDS)
        while select.select(listeners, [], [], 0)[0]:
            await asyncio.sleep(0.001)  # the event loop accepts them
        for server in self.servers:
            server.close()
