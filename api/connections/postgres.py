"""One PostgreSQL connection that reconnects automatically.

asyncpg, not psycopg2: a batch is one binary round trip on the event loop, with a time-out that also holds
when the network is cut (docs/decisions).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from api.connections.address import StoreAddress
from api.connections.several_servers import first_connected

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
_REFUSED_SECONDS = 2.0  # before it is asked again whether it accepts a changed password
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0  # with the time to connect, 5 s at most from a server's return
# asyncpg raises InternalClientError for a statement on a broken connection that is being closed.
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresUnavailable(ConnectionError):
    """PostgreSQL cannot be reached, refused, or did not commit in time."""


class RejectedRow(ValueError):
    """PostgreSQL is reachable but refuses this row's content; a retry would fail, too."""


class PostgresConnection:
    """Keeps one connection open; a statement fails at once while there is none."""

    def __init__(self, address: StoreAddress, timeout: float = 1.0) -> None:
        """`timeout` in seconds is for connecting."""
        self._address = address
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
                connection = self._connection or connection  # it may have been replaced meanwhile
                return await connection.fetchval(statement, *arguments)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise RejectedRow(str(error)) from error
        except _LOST as error:
            self._drop(connection, error)
            raise PostgresUnavailable(f"{type(error).__name__}: {error}") from error

    def _drop(self, connection: asyncpg.Connection, error: Exception) -> None:
        connection.terminate()
        if self._connection is connection:
            self._address.lost(error)
            self._connection = None

    async def keep_connected(self) -> None:
        """Connect, monitor and reconnect until cancelled, with growing pauses while the server fails."""
        try:
            while True:
                url = self._address.url
                try:
                    connection = await self._connect(url)
                except _LOST as error:
                    self._address.unreachable(error)
                else:
                    await self._stay_connected(url, connection)
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        finally:
            self._connection = None

    async def _connect(self, url: str) -> asyncpg.Connection:
        try:
            async with asyncio.timeout(self._timeout):
                return await first_connected(url, _open, self._timeout)
        except ValueError as error:
            raise asyncpg.InterfaceError(f"not a URL for asyncpg: {error}") from error

    async def _stay_connected(self, url: str, connection: asyncpg.Connection) -> None:
        """Return when the connection is lost; replace it when the URL has changed."""
        lost = self._begin(url, connection)
        try:
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), 1.0)
                    break
                if self._address.url != url:
                    changed = self._address.url
                    replacement = await self._connected_anew(changed)
                    if replacement is not None:
                        async with self._busy:
                            connection.terminate()
                            url, connection = changed, replacement
                            lost = self._begin(url, connection)
                elif not self._busy.locked():
                    await self._fetch("SELECT 1", within=self._timeout)
        except PostgresUnavailable:
            return  # said by who noticed it
        finally:
            self._connection = None
            connection.terminate()
        self._address.lost(ConnectionError("the server closed the connection"))

    def _begin(self, url: str, connection: asyncpg.Connection) -> asyncio.Event:
        """Use the connection from now on; return the event of its end."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        self._connection = connection
        self._address.connected(url)
        return lost

    async def _connected_anew(self, url: str) -> asyncpg.Connection | None:
        """Return a connection with the changed URL; None while the server refuses it."""
        try:
            return await self._connect(url)
        except _LOST as error:
            self._address.change_refused(error)
            await asyncio.sleep(_REFUSED_SECONDS)
            return None


async def _open(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url, server_settings=_SERVER_SETTINGS)
