"""Accepts jobs and reports on them.

Accepted means: the row is committed. The message that follows may be lost or duplicated; the worker's
sweeper publishes lost ones again (transactional outbox; the outbox is the table itself).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.pool import Pools
from api.http_server.memory import MemoryBudget
from api.jobs import metrics
from api.jobs.backlog import Backlog
from api.jobs.broker import Broker, BrokerUnavailable
from api.jobs.reports import Reports
from api.jobs.schemas import Submission
from api.jobs.settings import JobSettings
from api.jobs.store import JobStore
from api.jobs.waiting import Waiting
from api.metrics import registered
from mlstack.runtime.secret_files import follow
from mlstack.web.problems import Unavailable

logger = logging.getLogger(__name__)

_BROKER_GRACE_SECONDS = 300.0  # accept jobs for five minutes after RabbitMQ was last seen


class JobService:
    """Accepts jobs and reports on them."""

    def __init__(
        self, store: JobStore, reports: Reports, broker: Broker, waiting: Waiting, backlog: Backlog
    ) -> None:
        self._store = store
        self._reports = reports
        self._broker = broker
        self._waiting = waiting
        self._backlog = backlog

    def check_accepting(self) -> None:
        """Raise Unavailable unless RabbitMQ was connected within the grace period."""
        if not self._broker.seen_within(_BROKER_GRACE_SECONDS):
            raise Unavailable(
                self._broker.fault
                or "asynchronous predictions need the profile async, which is not running:"
                " docker compose --profile async up",
                retry_after=5,
            )

    async def submit(self, submission: Submission) -> bytes:
        """Return the job's report as JSON once the job is committed; raise Conflict or Unavailable."""
        if self._backlog.full and submission.idempotency_key:  # a repeated request needs no place
            earlier = await self._store.earlier(submission)
            if earlier is not None:
                return earlier
        with self._backlog.place():
            report, is_new = await self._store.submit(submission)
        if is_new:
            await self._publish(submission.id)
        return report

    @asynccontextmanager
    async def report(self, job_id: str, wait: float) -> AsyncIterator[bytes]:
        """Give the job's report as JSON for the block, at the latest after `wait` seconds; raise NotFound."""
        async with self._reports.read(job_id) as report:
            if wait <= 0 or report.finished:
                yield report.content
                return
        await self._waiting.finished(job_id, wait)
        async with self._reports.read(job_id) as report:
            yield report.content

    async def _publish(self, job_id: str) -> None:
        """Publish the job; if that fails, the sweeper does it a few seconds later."""
        try:
            await self._broker.publish(job_id)
            await self._store.mark_published([job_id])
        except (BrokerUnavailable, Unavailable) as error:
            logger.debug("job waits for the sweeper", extra={"job": job_id, "reason": str(error)})


@asynccontextmanager
async def open_job_service(
    pools: Pools, settings: JobSettings, memory: MemoryBudget
) -> AsyncIterator[JobService]:
    """Connect to RabbitMQ in the background: it need not be there."""
    store = JobStore(*pools)
    broker = Broker(StoreAddress("rabbitmq", settings.broker_url, optional=True), "api")
    follow(settings.broker_url)
    waiting = Waiting(store)
    backlog = Backlog(store, settings.limit)
    async with AsyncExitStack() as stack:
        stack.enter_context(registered(metrics.REGISTRY))
        if settings.broker_url.value:
            await stack.enter_async_context(running(broker.keep_connected))
            await stack.enter_async_context(running(backlog.count_forever))
        await stack.enter_async_context(running(waiting.look_forever))
        yield JobService(store, Reports(pools.readers, memory), broker, waiting, backlog)
