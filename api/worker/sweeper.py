"""Publishes lost messages again, deletes expired jobs, counts jobs and messages.

Several workers may sweep concurrently: a duplicate message finds its job done.
"""

from __future__ import annotations

import asyncio
import logging
import random

import msgspec

from api.connections.postgres import PostgresConnection, PostgresUnavailable
from api.jobs.broker import Broker, BrokerUnavailable
from api.jobs.queues import DEAD, QUEUE
from api.worker import metrics
from api.worker.heartbeat import Heartbeat

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 2.0
_UNPUBLISHED_SECONDS = 3.0  # for the api to publish the message and record it
_LOST_SECONDS = 10.0  # for a published message to be taken from an empty queue
_LONG_PENDING_SECONDS = 300.0
_BATCH = 200

# Overdue: jobs without a confirmed message, jobs with an expired lease, and pending jobs while the queue is
# empty, as after the broker's volume was lost. While the queue is never empty, long-pending jobs get a second
# message, too.
_OVERDUE = """
SELECT coalesce(json_agg(id), '[]') FROM (
    SELECT id FROM jobs
     WHERE finished_at IS NULL
       AND CASE WHEN published_at IS NULL THEN submitted_at < now() - make_interval(secs => $1)
                ELSE published_at < now() - make_interval(secs => $2)
                     AND (state = 'pending' AND ($3 OR published_at < now() - make_interval(secs => $5))
                          OR state = 'in_progress' AND lease_until < now()) END
     ORDER BY submitted_at LIMIT $4) AS overdue
"""
_PUBLISHED = "UPDATE jobs SET published_at = now() WHERE id = ANY($1::uuid[])"
_EXPIRE = "SELECT expire_jobs()"
_COUNT = "SELECT json_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM jobs GROUP BY state) AS c"


class Sweeper:
    """Keeps the table and the queue consistent."""

    def __init__(self, connection: PostgresConnection, broker: Broker, heartbeat: Heartbeat) -> None:
        self._connection = connection
        self._broker = broker
        self._heartbeat = heartbeat

    async def sweep_forever(self) -> None:
        """Sweep about every two seconds while both stores answer, until cancelled."""
        while True:
            self._heartbeat.beat("sweeper")
            try:
                await self._sweep()
            except (PostgresUnavailable, BrokerUnavailable) as error:
                logger.debug("sweep failed", extra={"reason": str(error)})
            await asyncio.sleep(_SWEEP_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311 replicas take turns

    async def _sweep(self) -> None:
        await self._run(_EXPIRE)
        counts = msgspec.json.decode(await self._run(_COUNT) or "{}", type=dict[str, int])
        for state, gauge in metrics.jobs.items():
            gauge.set(counts.get(state, 0))
        waiting = await self._broker.depth(QUEUE)
        metrics.queue_messages.labels(QUEUE).set(waiting)
        metrics.queue_messages.labels(DEAD).set(await self._broker.depth(DEAD))
        limits = (_UNPUBLISHED_SECONDS, _LOST_SECONDS, waiting == 0, _BATCH, _LONG_PENDING_SECONDS)
        job_ids = msgspec.json.decode(await self._run(_OVERDUE, *limits), type=list[str])
        if job_ids:
            await self._publish(job_ids)

    async def _publish(self, job_ids: list[str]) -> None:
        """Publish, then record it: after a crash in between the jobs are published once more."""
        for job_id in job_ids:
            await self._broker.publish(job_id)
        await self._run(_PUBLISHED, job_ids)
        metrics.republished.inc(len(job_ids))
        logger.info("jobs published again", extra={"jobs": len(job_ids)})

    async def _run(self, statement: str, *arguments: object) -> str:
        value = await self._connection.run(statement, *arguments, within=5.0)
        return value if isinstance(value, str) else ""
