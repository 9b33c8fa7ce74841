"""Connections to the table of jobs: each statement has one to itself, and the rest wait their turn.

PostgresConnection gives up a statement and its connection when the time is over, so the wait for a connection
must not count as the statement's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.connections.postgres import PostgresConnection, PostgresUnavailable
from mlstack.web.problems import Unavailable

_STATEMENT_SECONDS = 3.0


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
            raise Unavailable("more is asked about jobs than PostgreSQL can answer: try again") from None
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
        raise Unavailable("PostgreSQL, which keeps the jobs, cannot be reached") from error
    assert value is None or isinstance(value, str)
    return value
