"""A few connections for many requests: each statement has one to itself, and the rest wait their turn.

PostgresConnection gives up a statement and its connection when the time is over, so the wait for a connection
must not count as the statement's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.postgres import PostgresConnection, PostgresUnavailable
from mlstack.web.problems import Unavailable

_STATEMENT_SECONDS = 3.0
_WRITERS, _READERS = 3, 2  # connections of a replica: a long report must not hold up a submission
_MAX_WAIT_SECONDS = 3.0  # for a connection


class ConnectionPool:
    """A few connections for many requests."""

    def __init__(self, connections: list[PostgresConnection], max_wait: float) -> None:
        """They keep themselves connected; a request that waits for `max_wait` seconds is refused."""
        self._free = connections
        self._max_wait = max_wait
        self._room = asyncio.Semaphore(len(connections))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PostgresConnection]:
        """Give a connection for the block; raise Unavailable when there is none for too long."""
        try:
            async with asyncio.timeout(self._max_wait):
                await self._room.acquire()
        except TimeoutError:
            raise Unavailable("more is asked than PostgreSQL can answer: try again") from None
        connection = next((free for free in self._free if free.available), self._free[0])
        self._free.remove(connection)
        try:
            yield connection
        finally:
            self._free.append(connection)
            self._room.release()

    async def ask(self, statement: str, *arguments: object) -> str | None:
        """Return the first value of a statement on a connection of its own; raise Unavailable."""
        async with self.connection() as connection:
            return await ask(connection, statement, *arguments)


async def ask(connection: PostgresConnection, statement: str, *arguments: object) -> str | None:
    """Return the first value, a text; raise Unavailable while PostgreSQL is away."""
    try:
        value = await connection.run(statement, *arguments, within=_STATEMENT_SECONDS)
    except PostgresUnavailable as error:
        raise Unavailable("PostgreSQL, which keeps jobs and feedback, cannot be reached") from error
    assert value is None or isinstance(value, str)
    return value


class Pools(NamedTuple):
    """The connections of a replica that are not the prediction log's."""

    writers: ConnectionPool
    readers: ConnectionPool


@asynccontextmanager
async def open_pools(database: StoreAddress) -> AsyncIterator[Pools]:
    """Connect in the background: PostgreSQL need not be there."""
    writing = [PostgresConnection(database) for _ in range(_WRITERS)]
    reading = [PostgresConnection(database) for _ in range(_READERS)]
    async with AsyncExitStack() as stack:
        for connection in (*writing, *reading):
            await stack.enter_async_context(running(connection.keep_connected))
        yield Pools(ConnectionPool(writing, _MAX_WAIT_SECONDS), ConnectionPool(reading, _MAX_WAIT_SECONDS))
