"""One PostgreSQL connection that reconnects automatically.

asyncpg, not psycopg2: a batch is one binary round trip on the event loop, with a time-out that also holds
when the network is cut (docs/decisions).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import asyncpg

logger = logging.getLogger(__name__)

# The server must notice a client that was cut off or has given up. Otherwise its locks would remain, and
# statements that wait for a lock would pile up until no connection is left.
_SERVER_SETTINGS = {
    "client_connection_check_interval": "1000",
    "application_name": "api",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "jit": "off",
}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
# asyncpg raises InternalClientError for a statement on a broken connection that is being closed.
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresUnavailable(ConnectionError):
    """PostgreSQL cannot be reached, refused, or did not commit in time."""


class RejectedRow(ValueError):
    """PostgreSQL is reachable but refuses this row's content; a retry would fail, too."""


class PostgresConnection:
    """Keeps one connection open; a statement fails at once while there is none."""

    def __init__(self, url: str, timeout: float = 1.0) -> None:
        """`timeout` is for connecting, in seconds."""
        self._url = url
        self._timeout = timeout
        self._connection: asyncpg.Connection | None = None
        self._busy = asyncio.Lock()
        self._pause = _FIRST_PAUSE

    @property
    def available(self) -> bool:
        """True while PostgreSQL answers."""
        return self._connection is not None

    async def run(self, statement: str, *arguments: object, within: float) -> object:
        """Run one statement in its own transaction and return its first value."""
        value = await self._fetch(statement, *arguments, within=within)
        self._pause = _FIRST_PAUSE
        return value

    async def _fetch(self, statement: str, *arguments: object, within: float) -> object:
        connection = self._connection
        if connection is None:
            raise PostgresUnavailable("PostgreSQL cannot be reached")
        try:
            async with asyncio.timeout(within), self._busy:
                return await connection.fetchval(statement, *arguments)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise RejectedRow(str(error)) from error
        except _LOST as error:
            self._drop(connection, error)
            raise PostgresUnavailable(f"{type(error).__name__}: {error}") from error

    def _drop(self, connection: asyncpg.Connection, error: Exception) -> None:
        connection.terminate()
        if self._connection is connection:
            logger.warning("postgres lost", extra={"reason": f"{type(error).__name__}: {error}"})
            self._connection = None

    async def keep_connected(self) -> None:
        """Connect, monitor and reconnect until cancelled, with growing pauses while the server fails."""
        try:
            while True:
                with suppress(*_LOST):
                    await self._stay_connected()
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        finally:
            self._connection = None

    async def _stay_connected(self) -> None:
        async with asyncio.timeout(self._timeout):
            connection = await asyncpg.connect(self._url, server_settings=_SERVER_SETTINGS)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        self._connection = connection
        logger.info("postgres connected")
        try:
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), 1.0)
                    break
                if not self._busy.locked():
                    await self._fetch("SELECT 1", within=self._timeout)
        finally:
            self._connection = None
            connection.terminate()
