"""The prediction log's promise: when `write` returns, the rows are in PostgreSQL or durably queued.

Answers are sent after the commit. While PostgreSQL is down, rows wait in the queue, which drains
automatically; ids are unique in the table, so a row that is written on both paths is stored once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress

from api import metrics
from api.connections.postgres import PostgresConnection, PostgresUnavailable, RejectedRow
from api.connections.redis import RedisUnavailable
from api.prediction.log_queue import LogQueue, QueuedRow
from api.prediction.log_record import LogRecord
from api.prediction.log_table import KEPT_DAYS, MAINTAIN, insert, insert_queued
from api.prediction.queue_errors import QueueFull, ReplicasMissing
from mlstack.web.problems import Unavailable

logger = logging.getLogger(__name__)

_DRAIN_BATCH = 500
_POLL_SECONDS = 1.0
_SHORTEST_INSERT, _SHORTEST_APPEND = 0.25, 0.1  # seconds: what a store gets however late it is
_LAST_RESORT_SECONDS = 0.75  # for a commit while the queue is unavailable; a client waits less than a second
_MAINTENANCE_SECONDS = 3600.0
_MAINTENANCE_TIMEOUT = 600.0  # moving a month of rows out of the default partition takes minutes


class PredictionLog:
    """Writes batches of rows to PostgreSQL, or to the queue while PostgreSQL is down."""

    def __init__(
        self,
        connections: list[PostgresConnection],
        queue: LogQueue,
        insert_timeout: float,
        drain_timeout: float,
    ) -> None:
        """Three connections: for writing, for draining the queue, for maintaining the table."""
        self._writer, self._drainer, self._maintainer = connections
        self._queue = queue
        self._insert_timeout = insert_timeout
        self._drain_timeout = drain_timeout
        self._queued = asyncio.Event()

    @property
    def database_available(self) -> bool:
        """True while PostgreSQL answers."""
        return self._writer.available

    @property
    def writable(self) -> bool:
        """True while rows can be written to PostgreSQL or to the queue."""
        return self.database_available or self._queue.available

    @property
    def seconds(self) -> float:
        """How long a write may take: an attempt at PostgreSQL, then one at the queue."""
        return self._insert_timeout + self._queue.timeout

    async def may_be_queued(self) -> bool:
        """Return whether an answered prediction may be missing in the table: it waits in Redis."""
        try:
            return await self._queue.length() > 0
        except RedisUnavailable:
            return True

    async def write(self, records: Sequence[LogRecord], due: float) -> None:
        """Make the rows durable; raise Unavailable when that is not possible.

        `due` is when that must be decided, as time.perf_counter(): rows that have waited for the write before
        theirs have less time, so no client waits for two attempts at stores that do not answer.
        """
        try:
            if self._queue.available:
                within = min(self._insert_timeout, max(due - time.perf_counter(), _SHORTEST_INSERT))
            else:
                within = _LAST_RESORT_SECONDS
            await insert(self._writer, records, within)
            metrics.rows_logged["direct"].inc(len(records))
        except (PostgresUnavailable, RejectedRow) as error:
            await self._enqueue([record.json() for record in records], error, due)

    async def _enqueue(self, rows: list[bytes], error: Exception, due: float) -> None:
        within = min(self._queue.timeout, max(due - time.perf_counter(), _SHORTEST_APPEND))
        try:
            length = await self._queue.append(rows, within)
        except (QueueFull, ReplicasMissing) as reason:
            raise Unavailable(f"the prediction cannot be logged: {reason}", retry_after=5) from error
        except RedisUnavailable:
            raise Unavailable(
                "the prediction cannot be logged: PostgreSQL and Redis are both unreachable"
            ) from error
        metrics.rows_logged["queued"].inc(len(rows))
        metrics.queue_length.set(length)
        self._queued.set()

    async def drain_forever(self) -> None:
        """Move queued rows to PostgreSQL in order of time while both stores answer, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._queued.wait(), _POLL_SECONDS)
            self._queued.clear()
            with suppress(PostgresUnavailable, RedisUnavailable, QueueFull):
                while await self._drain_batch():
                    pass
            await asyncio.sleep(0.05)

    async def _drain_batch(self) -> bool:
        metrics.queue_length.set(await self._queue.length())
        entries = await self._queue.oldest(_DRAIN_BATCH)
        if not entries:
            return False
        genuine = [row for row in entries if row.genuine]
        for row in entries:
            if not row.genuine:
                await self._queue.set_aside(row, "it has no seal of this service: see docs/operations.md")
        if genuine:
            await self._insert_queued(genuine)
        return True

    async def _insert_queued(self, rows: list[QueuedRow]) -> None:
        try:
            await insert_queued(self._drainer, [row.content for row in rows], self._drain_timeout)
        except RejectedRow as error:
            if len(rows) == 1:
                await self._queue.set_aside(rows[0], str(error))
                return
            for row in rows:
                await self._insert_queued([row])
        else:
            await self._queue.remove([row.entry_id for row in rows])
            metrics.rows_logged["drained"].inc(len(rows))

    async def maintain_forever(self, retention_days: int) -> None:
        """Create the next months' partitions and drop expired ones, every hour, until cancelled.

        The database itself holds how long rows are kept; `retention_days` that differ from it are reported.
        """
        while not self._maintainer.available:
            await asyncio.sleep(0.1)
        while True:
            try:
                await self._maintain(retention_days)
            except (PostgresUnavailable, RejectedRow) as error:
                logger.warning("log maintenance waits for postgres", extra={"reason": str(error)})
                await asyncio.sleep(5.0)
            else:
                metrics.log_maintained.set_to_current_time()
                await asyncio.sleep(_MAINTENANCE_SECONDS)

    async def _maintain(self, retention_days: int) -> None:
        dropped = await self._maintainer.run(MAINTAIN, within=_MAINTENANCE_TIMEOUT)
        if dropped:
            logger.info("dropped expired predictions", extra={"dropped": dropped})
        kept = await self._maintainer.run(KEPT_DAYS, within=_MAINTENANCE_TIMEOUT)
        if retention_days and kept != retention_days:
            logger.warning(
                "RETENTION_DAYS is not what the database keeps; see docs/operations.md, Retention",
                extra={"retention_days": retention_days, "kept_days": kept},
            )
