"""The prediction log's queue: a Redis stream that holds rows while PostgreSQL is down.

It has no TTL, so Redis never evicts it; it is bounded, so it never fills Redis either. No scripts: the api's
user may not run any (redis/users.acl).
"""

from __future__ import annotations

import logging
from typing import Any

import hiredis

from api import metrics
from api.connections.redis import Command, RedisConnection, RedisUnavailable, Reply

logger = logging.getLogger(__name__)

QUEUE = "predictions:queue"
REJECTED = "predictions:rejected"

# Rows of many instances are long: they are read a few at a time, until a batch has enough bytes.
_READ_ROWS = 10
_BATCH_BYTES = 4 << 20


class QueueFull(Exception):
    """The queue holds as many rows as its limit allows, or as Redis has memory for."""


class LogQueue:
    """Rows in order of arrival; appended rows are on disk before the call returns (appendfsync always)."""

    def __init__(self, redis: RedisConnection, limit: int, timeout: float) -> None:
        """`limit` is in rows; `timeout` in seconds."""
        self._redis = redis
        self._limit = limit
        self._timeout = timeout

    @property
    def available(self) -> bool:
        """True while Redis answers."""
        return self._redis.available

    async def append(self, rows: list[bytes]) -> int:
        """Add all rows or none and return the queue's length; raise QueueFull or RedisUnavailable."""
        if await self.length() + len(rows) > self._limit:
            raise self._full()
        commands: list[Command] = [("XADD", QUEUE, "*", "row", row) for row in rows]
        replies = await self._redis.execute(
            [("MULTI",), *commands, ("XLEN", QUEUE), ("EXEC",)], self._timeout
        )
        *_, executed = [_checked(reply) for reply in replies]
        *entry_ids, length = [_checked(reply) for reply in executed]
        if length > self._limit:  # replicas that append at once have passed the limit together
            await self.remove(entry_ids)
            raise self._full()
        return int(length)

    def _full(self) -> QueueFull:
        return QueueFull(f"{self._limit} predictions are waiting for PostgreSQL already")

    async def length(self) -> int:
        """Return the number of rows."""
        length = await self._ask(("XLEN", QUEUE))
        assert isinstance(length, int)
        return length

    async def oldest(self, count: int) -> list[tuple[bytes, bytes]]:
        """Return about `count` (entry id, row) from the front, fewer of long ones, without removing them."""
        found: list[tuple[bytes, bytes]] = []
        size, start = 0, b"-"
        while len(found) < count and size < _BATCH_BYTES:
            part = await self._ask(("XRANGE", QUEUE, start, "+", "COUNT", _READ_ROWS))
            rows = [(entry_id, fields[1]) for entry_id, fields in part]
            found += rows
            size += sum(len(row) for _, row in rows)
            if len(rows) < _READ_ROWS:
                break
            start = b"(" + rows[-1][0]
        return found

    async def remove(self, entry_ids: list[bytes]) -> None:
        """Remove entries; call it after their rows are committed."""
        await self._ask(("XDEL", QUEUE, *entry_ids))

    async def set_aside(self, entry_id: bytes, row: bytes) -> None:
        """Move a row that PostgreSQL refuses to the stream of rejected rows, for inspection."""
        await self._ask(("XADD", REJECTED, "*", "row", row))
        await self.remove([entry_id])
        metrics.rows_set_aside.inc()
        logger.error("a queued row was refused and set aside", extra={"stream": REJECTED})

    async def _ask(self, command: Command) -> Any:
        (reply,) = await self._redis.execute([command], self._timeout)
        return _checked(reply)


def _checked(reply: Reply) -> Any:
    """Return the reply; raise QueueFull or RedisUnavailable if it is an error."""
    if isinstance(reply, hiredis.ReplyError):
        if "OOM" in str(reply):
            raise QueueFull("Redis has no memory left for the queue")
        raise RedisUnavailable(str(reply))
    return reply
