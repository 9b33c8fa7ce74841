"""Accepts jobs and reports on them.

Accepted means: the row is committed. The message that follows may be lost or duplicated; the worker's
sweeper publishes lost ones again (transactional outbox; the outbox is the table itself).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.postgres import PostgresConnection
from api.jobs import metrics
from api.jobs.broker import Broker, BrokerUnavailable
from api.jobs.schemas import Submission
from api.jobs.settings import JobSettings
from api.jobs.store import JobStore, Report
from api.jobs.waiting import Waiting
from api.metrics import registered
from mlstack.runtime.secret_files import follow
from mlstack.web.problems import Unavailable

logger = logging.getLogger(__name__)

_BROKER_GRACE_SECONDS = 300.0  # accept jobs for five minutes after RabbitMQ was last seen


class JobService:
    """Accepts jobs and reports on them."""

    def __init__(self, store: JobStore, broker: Broker, waiting: Waiting) -> None:
        self._store = store
        self._broker = broker
        self._waiting = waiting

    def check_accepting(self) -> None:
        """Raise Unavailable unless RabbitMQ was connected within the grace period."""
        if not self._broker.seen_within(_BROKER_GRACE_SECONDS):
            raise Unavailable(
                "asynchronous predictions need the profile async, which is not running:"
                " docker compose --profile async up",
                retry_after=5,
            )

    async def submit(self, submission: Submission) -> bytes:
        """Return the job's report as JSON once the job is committed; raise Conflict or Unavailable."""
        report, is_new = await self._store.submit(submission)
        if is_new:
            await self._publish(submission.id)
        return report

    async def report(self, job_id: str, wait: float) -> bytes:
        """Return the job's report as JSON, at the latest after `wait` seconds; raise NotFound."""
        report = await self._store.find(job_id)
        if wait <= 0 or msgspec.json.decode(report, type=Report).finished:
            return report
        await self._waiting.finished(job_id, wait)
        return await self._store.find(job_id)

    async def _publish(self, job_id: str) -> None:
        """Publish the job; if that fails, the sweeper does it a few seconds later."""
        try:
            await self._broker.publish(job_id)
            await self._store.mark_published([job_id])
        except (BrokerUnavailable, Unavailable) as error:
            logger.debug("job waits for the sweeper", extra={"job": job_id, "reason": str(error)})


@asynccontextmanager
async def open_job_service(database: StoreAddress, settings: JobSettings) -> AsyncIterator[JobService]:
    """Connect in the background: neither PostgreSQL nor RabbitMQ need be there."""
    writer, reader = PostgresConnection(database), PostgresConnection(database)
    store = JobStore(writer, reader)
    broker = Broker(StoreAddress("rabbitmq", settings.broker_url), "api")
    follow(settings.broker_url)
    waiting = Waiting(store)
    async with AsyncExitStack() as stack:
        stack.enter_context(registered(metrics.REGISTRY))
        for connection in (writer, reader):
            await stack.enter_async_context(running(connection.keep_connected))
        if settings.broker_url.value:
            await stack.enter_async_context(running(broker.keep_connected))
        await stack.enter_async_context(running(waiting.look_forever))
        yield JobService(store, broker, waiting)
