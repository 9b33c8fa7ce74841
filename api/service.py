"""Everything the inference service works with, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from api import metrics
from api.background import forget_abandoned_lookups, running
from api.cache import Cache
from api.log_queue import LogQueue
from api.postgres_connection import PostgresConnection
from api.prediction_log import PredictionLog
from api.predictor import Predictor
from api.redis_connection import RedisConnection
from api.settings import Settings
from pipeline.api_keys import ApiKeys
from pipeline.model_store import ModelStore
from pipeline.problems import Unavailable
from pipeline.served_models import Models

_REFRESH_SECONDS = 1.0
_FIRST_MODEL_SECONDS = 0.2  # somebody waits for it
_FIRST_CONTACT_SECONDS = 2.0


@dataclass(slots=True)
class Service:
    """What a request may need."""

    settings: Settings
    models: Models
    redis: RedisConnection
    log: PredictionLog
    predictor: Predictor
    keys: ApiKeys
    draining: bool = False  # the server says so at SIGTERM: see draining_server.py

    def check_ready(self) -> int:
        """Return the version that answers; raise Unavailable where predictions are not welcome."""
        if self.draining:
            raise Unavailable("the service is draining")
        version = self.models.select(None).version
        if not self.log.writable:
            raise Unavailable("PostgreSQL and Redis are both away: predictions cannot be logged")
        return version


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Connect, load the model, start the lanes; on the way out answer what waits, then close."""
    forget_abandoned_lookups()
    redis = RedisConnection(settings.redis_url)
    writers = [PostgresConnection(settings.database_url) for _ in range(settings.lanes + 2)]
    queue = LogQueue(redis, settings.queue_limit, settings.queue_timeout)
    log = PredictionLog(writers, queue, settings.insert_timeout, settings.drain_timeout)
    predictor = Predictor(Cache(redis, settings.cache_ttl, settings.cache_timeout), log, settings.max_pending)
    models = await asyncio.to_thread(Models, ModelStore(settings.model_dir))
    service = Service(settings, models, redis, log, predictor, ApiKeys.from_env())
    metrics.queue_limit.set(settings.queue_limit)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(redis.keep_connected))
        for writer in writers:
            await stack.enter_async_context(running(writer.keep_connected))
        await stack.enter_async_context(running(log.drain_forever))
        await stack.enter_async_context(running(partial(log.maintain_forever, settings.retention_days)))
        await stack.enter_async_context(running(partial(_follow_current_model, models)))
        for lane in range(settings.lanes):
            await stack.enter_async_context(running(partial(predictor.run_lane, lane)))
        await _first_contact(service)
        try:
            yield service
        finally:
            await predictor.drained()


async def _first_contact(service: Service) -> None:
    """Give the stores a moment, so that a fresh replica caches and logs its first requests."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_CONTACT_SECONDS):
            while not (service.redis.available and service.log.database_available):
                await asyncio.sleep(0.02)


async def _follow_current_model(models: Models) -> None:
    """Notice a promoted version within about a second, loading it off the event loop."""
    while True:
        await asyncio.sleep(_REFRESH_SECONDS if models.current.get() else _FIRST_MODEL_SECONDS)
        if await asyncio.to_thread(models.current.refresh):
            metrics.model_loads.inc()
