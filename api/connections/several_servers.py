"""Connects to the one of several PostgreSQL servers that accepts writes.

asyncpg asks one server after the other, so one that does not answer at all would use up the time of the rest.
Here the next one is asked a moment later, too. Their order counts while several would do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from mlstack.runtime.database_urls import each_server

Open = Callable[[str], Awaitable[asyncpg.Connection]]
_Attempt = asyncio.Task[asyncpg.Connection]


async def first_connected(url: str, connect: Open, seconds: float) -> asyncpg.Connection:
    """Return the first connection to a server that `url` names, all of which are asked within `seconds`.

    Raise the error that says most: a server that refuses says more than one that cannot be reached.
    """
    servers = each_server(url)
    if len(servers) == 1:
        return await connect(url)
    race = _Race(connect)
    try:
        for server in servers:
            race.enter(server)
            winner = await race.winner(seconds / (len(servers) + 1))
            if winner is not None:
                return winner
        winner = await race.winner(None)
    finally:
        race.end()
    if winner is None:
        raise race.error()
    return winner


class _Race:
    """Attempts at the same time; the first that succeeds wins."""

    def __init__(self, connect: Open) -> None:
        self._connect = connect
        self._running: set[_Attempt] = set()
        self._errors: list[BaseException] = []
        self._won: asyncpg.Connection | None = None

    def enter(self, server: str) -> None:
        self._running.add(asyncio.ensure_future(self._connect(server)))

    async def winner(self, seconds: float | None) -> asyncpg.Connection | None:
        """Return a connection; None after `seconds`, and as soon as every attempt has failed."""
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        while self._running and self._won is None:
            left = None if deadline is None else deadline - asyncio.get_running_loop().time()
            done, self._running = await asyncio.wait(
                self._running, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
            for attempt in done:
                self._take(attempt)
        return self._won

    def _take(self, attempt: _Attempt) -> None:
        error = attempt.exception()
        if error is not None:
            self._errors.append(error)
        elif self._won is None:
            self._won = attempt.result()
        else:
            attempt.result().terminate()

    def error(self) -> BaseException:
        return min(self._errors, key=lambda error: isinstance(error, OSError))

    def end(self) -> None:
        """Give up what is not connected yet; close a connection that nobody waits for any more."""
        for attempt in self._running:
            attempt.cancel()
            attempt.add_done_callback(_close)


def _close(attempt: _Attempt) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()
