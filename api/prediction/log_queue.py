"""The prediction log's queue: a Redis stream that holds rows while PostgreSQL is away.

It has no TTL, so Redis never evicts it; it is bounded, so it never fills Redis either. Rows are sealed: what
another client of Redis has put there is set aside and never logged.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import hiredis

from api import metrics
from api.connections.redis import Command, RedisConnection, RedisUnavailable, Reply
from api.prediction.sealing import Sealer

logger = logging.getLogger(__name__)

QUEUE = "predictions:queue"
_NAME = QUEUE.encode()
_FIELDS = 4  # of an entry: row, its content, seal, the seal itself
REJECTED = "predictions:rejected"

# Length check and append in one step: replicas that append at once cannot pass the limit together.
_APPEND = """
if redis.call('XLEN', KEYS[1]) + (#ARGV - 1) / 2 > tonumber(ARGV[1]) then return -1 end
for i = 2, #ARGV, 2 do redis.call('XADD', KEYS[1], '*', 'row', ARGV[i], 'seal', ARGV[i + 1]) end
return redis.call('XLEN', KEYS[1])
"""

# Rows of many instances are long: a batch is bounded in bytes too, or it would not fit into memory.
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


class QueuedRow(NamedTuple):
    """A row that waits, or what others have put in its place: then it is not `genuine`."""

    entry_id: bytes
    content: bytes
    genuine: bool


class QueueFull(Exception):
    """The queue holds as many rows as its limit allows, or as Redis has memory for."""


class LogQueue:
    """Rows in order of arrival; what was appended is on disk before the call returns (appendfsync always)."""

    def __init__(self, redis: RedisConnection, sealer: Sealer, limit: int, timeout: float) -> None:
        """`limit` is in rows; `timeout` in seconds is for one command."""
        self._redis = redis
        self._sealer = sealer
        self._limit = limit
        self.timeout = timeout

    @property
    def available(self) -> bool:
        """True while Redis answers."""
        return self._redis.available

    async def append(self, rows: list[bytes], within: float) -> int:
        """Add all rows or none and return the queue's length; raise QueueFull or RedisUnavailable."""
        sealed = [part for row in rows for part in (row, self._sealer.seal(_NAME, row))]
        length = await self._ask(("EVAL", _APPEND, 1, QUEUE, self._limit, *sealed), within)
        if length == -1:
            raise QueueFull(f"{self._limit} predictions wait for PostgreSQL already")
        assert isinstance(length, int)
        return length

    async def length(self) -> int:
        """Return how many rows wait."""
        length = await self._ask(("XLEN", QUEUE))
        assert isinstance(length, int)
        return length

    async def oldest(self, count: int) -> list[QueuedRow]:
        """Return about `count` rows from the front, fewer of long ones, without removing them."""
        entries = await self._ask(("EVAL", _OLDEST, 1, QUEUE, count, _BATCH_BYTES))
        assert isinstance(entries, list)
        return [self._opened(entry_id, fields) for entry_id, fields in entries]

    async def remove(self, entry_ids: list[bytes]) -> None:
        """Remove entries; call it after their rows are committed."""
        await self._ask(("XDEL", QUEUE, *entry_ids))

    async def set_aside(self, row: QueuedRow, reason: str) -> None:
        """Move a row out of the way, where a person can look at it."""
        await self._ask(("XADD", REJECTED, "*", "row", row.content))
        await self.remove([row.entry_id])
        metrics.rows_set_aside.inc()
        logger.error("a queued row was set aside", extra={"stream": REJECTED, "reason": reason})

    async def requeue(self) -> int:
        """Move what was set aside back into the queue, sealed now; return how many rows."""
        entries = await self._ask(("XRANGE", REJECTED, "-", "+"))
        assert isinstance(entries, list)
        for entry_id, fields in entries:
            await self.append([fields[1]], self.timeout)
            await self._ask(("XDEL", REJECTED, entry_id))
        return len(entries)

    def _opened(self, entry_id: bytes, fields: list[bytes]) -> QueuedRow:
        """Return the row in an entry; one of other fields, or without this service's seal, is not genuine."""
        content = fields[1]
        genuine = (
            len(fields) == _FIELDS
            and (fields[0], fields[2]) == (b"row", b"seal")
            and self._sealer.is_sealed(_NAME, content, fields[3])
        )
        return QueuedRow(entry_id, content, genuine)

    async def _ask(self, command: Command, within: float | None = None) -> Reply:
        (reply,) = await self._redis.execute([command], within or self.timeout)
        if isinstance(reply, hiredis.ReplyError):
            if "OOM" in str(reply):
                raise QueueFull("Redis has no memory left for the queue")
            raise RedisUnavailable(str(reply))
        return reply
