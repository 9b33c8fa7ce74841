"""The prediction log's queue: a Redis stream that holds rows while PostgreSQL is down.

It has no TTL, so Redis never evicts it; its length is limited, so it never fills Redis.
"""

from __future__ import annotations

import logging

import hiredis

from api import metrics
from api.connections.redis import Command, RedisConnection, RedisUnavailable, Reply

logger = logging.getLogger(__name__)

QUEUE = "predictions:queue"
REJECTED = "predictions:rejected"

# Length check and append are atomic, so concurrent replicas cannot exceed the limit.
_APPEND = """
if redis.call('XLEN', KEYS[1]) + #ARGV - 1 > tonumber(ARGV[1]) then return -1 end
for i = 2, #ARGV do redis.call('XADD', KEYS[1], '*', 'row', ARGV[i]) end
return redis.call('XLEN', KEYS[1])
"""

# Rows of many instances are long: a batch is limited in bytes, too, to fit into memory.
_OLDEST = """
local found, size, start = {}, 0, '-'
repeat
    local part = redis.call('XRANGE', KEYS[1], start, '+', 'COUNT', 10)
    for _, entry in ipairs(part) do
        found[#found + 1] = entry
        size = size + #entry[2][2]
        start = '(' .. entry[1]
    end
until #part == 0 or #found >= tonumber(ARGV[1]) or size >= tonumber(ARGV[2])
return found
"""
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
        length = await self._ask(("EVAL", _APPEND, 1, QUEUE, self._limit, *rows))
        if length == -1:
            raise QueueFull(f"{self._limit} predictions are waiting for PostgreSQL already")
        assert isinstance(length, int)
        return length

    async def length(self) -> int:
        """Return the number of rows."""
        length = await self._ask(("XLEN", QUEUE))
        assert isinstance(length, int)
        return length

    async def oldest(self, count: int) -> list[tuple[bytes, bytes]]:
        """Return about `count` (entry id, row) from the front, fewer if they are long; remove none."""
        entries = await self._ask(("EVAL", _OLDEST, 1, QUEUE, count, _BATCH_BYTES))
        assert isinstance(entries, list)
        return [(entry_id, fields[1]) for entry_id, fields in entries]

    async def remove(self, entry_ids: list[bytes]) -> None:
        """Remove entries; call it after their rows are committed."""
        await self._ask(("XDEL", QUEUE, *entry_ids))

    async def set_aside(self, entry_id: bytes, row: bytes) -> None:
        """Move a row that PostgreSQL refuses to the stream of rejected rows, for inspection."""
        await self._ask(("XADD", REJECTED, "*", "row", row))
        await self.remove([entry_id])
        metrics.rows_set_aside.inc()
        logger.error("a queued row was refused and set aside", extra={"stream": REJECTED})

    async def _ask(self, command: Command) -> Reply:
        (reply,) = await self._redis.execute([command], self._timeout)
        if isinstance(reply, hiredis.ReplyError):
            if "OOM" in str(reply):
                raise QueueFull("Redis has no memory left for the queue")
            raise RedisUnavailable(str(reply))
        return reply
