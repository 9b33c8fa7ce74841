"""uvicorn, except that SIGTERM fails no request that has reached the service.

uvicorn closes the connections that wait for a request, and its listening socket with whoever is in
its backlog. Here they have a moment, and an answer that ends their connection.
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
from contextlib import suppress

import uvicorn

from mlstack.web.draining import HANDSHAKE_SECONDS, ignore_new_connections

_LINGER_SECONDS = 2.0  # as long as gunicorn's worker

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Serves an application whose lifespan state has a `service`."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Turn unready, end listening, answer what still comes on the connections there are; then close."""
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
