"""Everything the inference service works with, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from api import metrics
from api.connections.background import forget_abandoned_lookups, running
from api.connections.postgres import PostgresConnection
from api.connections.redis import RedisConnection
from api.http_server.memory import MemoryBudget
from api.prediction.batcher import Batcher, Limits
from api.prediction.cache import Cache
from api.prediction.intake import Intake
from api.prediction.log_queue import LogQueue
from api.prediction.prediction_log import PredictionLog
from api.prediction.sealing import Sealer
from api.settings import Settings
from mlstack.registry.current_model import Load
from mlstack.registry.loaded_model import load_model
from mlstack.registry.store import ModelStore
from mlstack.web.api_keys import ApiKeys
from mlstack.web.metrics import ModelCollector
from mlstack.web.problems import Unavailable
from mlstack.web.served_models import ServedModels

_FIRST_CONTACT_SECONDS = 2.0


@dataclass(slots=True)
class Service:
    """What a request may need."""

    settings: Settings
    models: ServedModels
    redis: RedisConnection
    log: PredictionLog
    intake: Intake
    batcher: Batcher
    keys: ApiKeys
    memory: MemoryBudget
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
async def open_service(settings: Settings, load: Load = load_model) -> AsyncIterator[Service]:
    """Connect, load the model, start the lanes; on the way out answer what waits, then close."""
    forget_abandoned_lookups()
    redis = RedisConnection(settings.redis_url)
    connections = [PostgresConnection(settings.database_url) for _ in range(3)]
    sealer = await asyncio.to_thread(Sealer, settings.sealing_keys)
    queue = LogQueue(redis, sealer, settings.queue_limit, settings.queue_timeout)
    log = PredictionLog(connections, queue, settings.insert_timeout, settings.drain_timeout)
    cache = Cache(redis, sealer, settings.cache_ttl, settings.cache_timeout)
    batcher = Batcher(cache, log, Limits(settings.max_pending, settings.max_pending_rows, settings.max_wait))
    models = await asyncio.to_thread(ServedModels, ModelStore(settings.model_dir), load)
    models.follow()
    intake = Intake(models, settings.max_rows, settings.max_body_bytes)
    memory = MemoryBudget(settings.max_pending_bytes)
    service = Service(settings, models, redis, log, intake, batcher, ApiKeys.from_env(), memory)
    metrics.queue_limit.set(settings.queue_limit)
    async with AsyncExitStack() as stack:
        stack.enter_context(metrics.registered(ModelCollector(models)))
        await stack.enter_async_context(running(redis.keep_connected))
        for connection in connections:
            await stack.enter_async_context(running(connection.keep_connected))
        await stack.enter_async_context(running(log.drain_forever))
        await stack.enter_async_context(running(partial(log.maintain_forever, settings.retention_days)))
        for loop in batcher.loops:
            await stack.enter_async_context(running(loop))
        await _first_contact(service)
        try:
            yield service
        finally:
            await batcher.drained()


async def _first_contact(service: Service) -> None:
    """Give the stores a moment, so that a fresh replica caches and logs its first requests."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_CONTACT_SECONDS):
            while not (service.redis.available and service.log.database_available):
                await asyncio.sleep(0.02)
