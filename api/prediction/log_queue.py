"""The prediction log's queue: a Redis stream that holds rows while PostgreSQL is down.

It has no TTL, so Redis never evicts it; it is bounded, so it never fills Redis either. Rows are sealed: what
another client of Redis has put there is set aside and never logged. No scripts: the api's user may not run
any (redis/users.acl).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, NamedTuple

from api import metrics
from api.connections.redis import Command, RedisConnection, RedisUnavailable
from api.prediction.queue_errors import QueueFull, ReplicasMissing, checked
from api.prediction.sealing import Sealer

logger = logging.getLogger(__name__)

QUEUE = "predictions:queue"
_NAME = QUEUE.encode()
_FIELDS = 4  # of an entry: row, its content, seal, the seal itself
REJECTED = "predictions:rejected"

# Rows of many instances are long, megabytes each, and Redis cannot bound a reply by bytes: they are read
# a few at a time, until a batch has enough bytes. With 100 at a time short ones drain a fifth faster
# (bench/drain.py: 9,100 and 7,500 rows a second), but the reply could take more memory than the api has.
_READ_ROWS = 10
_BATCH_BYTES = 4 << 20

_WAITING_SHARE = 0.7  # of the time for an append: how long replicas have; the rest is for taking it back


class QueuedRow(NamedTuple):
    """A row that waits, or what others have put in its place: then it is not `genuine`."""

    entry_id: bytes
    content: bytes
    genuine: bool


class LogQueue:
    """Rows in order of arrival; appended rows are on disk before the call returns (appendfsync always)."""

    def __init__(
        self, redis: RedisConnection, sealer: Sealer, limit: int, timeout: float, replicas: int = 0
    ) -> None:
        """`limit` is in rows; `timeout` in seconds is for one command; `replicas` must have each row, too."""
        self._redis = redis
        self._sealer = sealer
        self._limit = limit
        self._replicas = replicas
        self.timeout = timeout

    @property
    def available(self) -> bool:
        """True while Redis answers."""
        return self._redis.available

    async def append(self, rows: list[bytes], within: float) -> int:
        """Add all rows or none and return the queue's length.

        Raise QueueFull, ReplicasMissing or RedisUnavailable.
        """
        if await self.length(within) + len(rows) > self._limit:
            raise self._full()
        commands: list[Command] = [
            ("XADD", QUEUE, "*", "row", row, "seal", self._sealer.seal(_NAME, row)) for row in rows
        ]
        transaction: list[Command] = [("MULTI",), *commands, ("XLEN", QUEUE), ("EXEC",)]
        transaction += self._wait_for_replicas(within)
        replies = [checked(reply) for reply in await self._redis.execute(transaction, within)]
        copies = replies.pop() if self._replicas else 0
        *entry_ids, length = [checked(reply) for reply in replies[-1]]
        if length > self._limit:  # replicas that append at once have passed the limit together
            await self.remove(entry_ids)
            raise self._full()
        if copies < self._replicas:
            with suppress(RedisUnavailable):
                await self.remove(entry_ids)
            raise ReplicasMissing(f"{copies} of {self._replicas} replicas of Redis have received it")
        return int(length)

    def _wait_for_replicas(self, within: float) -> list[Command]:
        if not self._replicas:
            return []  # a Redis of an earlier release does not allow it
        return [("WAIT", self._replicas, max(1, int(within * _WAITING_SHARE * 1000)))]  # 0 would be for ever

    def _full(self) -> QueueFull:
        return QueueFull(f"{self._limit} predictions are waiting for PostgreSQL already")

    async def length(self, within: float | None = None) -> int:
        """Return the number of rows."""
        length = await self._ask(("XLEN", QUEUE), within)
        assert isinstance(length, int)
        return length

    async def oldest(self, count: int) -> list[QueuedRow]:
        """Return about `count` rows from the front, fewer of long ones, without removing them."""
        found: list[QueuedRow] = []
        size, start = 0, b"-"
        while len(found) < count and size < _BATCH_BYTES:
            part = await self._ask(("XRANGE", QUEUE, start, "+", "COUNT", _READ_ROWS))
            rows = [self._opened(entry_id, fields) for entry_id, fields in part]
            found += rows
            size += sum(len(row.content) for row in rows)
            if len(rows) < _READ_ROWS:
                break
            start = b"(" + rows[-1].entry_id
        return found

    async def remove(self, entry_ids: list[bytes]) -> None:
        """Remove entries; call it after their rows are committed."""
        await self._ask(("XDEL", QUEUE, *entry_ids))

    async def set_aside(self, row: QueuedRow, reason: str) -> None:
        """Move a row to the stream of rejected rows, for inspection."""
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

    async def _ask(self, command: Command, within: float | None = None) -> Any:
        (reply,) = await self._redis.execute([command], within or self.timeout)
        return checked(reply)
