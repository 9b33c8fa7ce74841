"""The parts of the inference service, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from api import metrics
from api.connections.address import StoreAddress
from api.connections.background import running
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
from mlstack.inference.current_model import Load
from mlstack.inference.loading import load_model
from mlstack.runtime.secret_files import follow
from mlstack.web.api_keys import ApiKeys
from mlstack.web.challengers import Challengers
from mlstack.web.metrics import ModelCollector
from mlstack.web.problems import Unavailable
from mlstack.web.served_models import ServedModels

_FIRST_CONTACT_SECONDS = 2.0


@dataclass(slots=True)
class Service:
    """The parts that requests use."""

    settings: Settings
    models: ServedModels
    database_address: StoreAddress
    redis_address: StoreAddress
    redis: RedisConnection
    log: PredictionLog
    intake: Intake
    batcher: Batcher
    keys: ApiKeys
    memory: MemoryBudget
    draining: bool = False  # set at SIGTERM by http_server/draining.py

    def check_ready(self) -> int:
        """Return the current version; raise Unavailable while predictions are not accepted."""
        if self.draining:
            raise Unavailable("the service is draining")
        version = self.models.select(None).version
        if not self.log.writable:
            raise Unavailable("PostgreSQL and Redis are both unreachable: predictions cannot be logged")
        return version


@asynccontextmanager
async def open_service(settings: Settings, load: Load = load_model) -> AsyncIterator[Service]:
    """Connect, load the model, start the background tasks; at the end answer pending requests, then close."""
    database_address = StoreAddress("postgres", settings.database_url)
    redis_address = StoreAddress("redis", settings.redis_url)
    redis = RedisConnection(redis_address)
    connections = [PostgresConnection(database_address) for _ in range(3)]
    sealer = await asyncio.to_thread(Sealer, settings.sealing_keys)
    queue_redis = redis
    if settings.queue_replicas:  # rows that wait for replicas of Redis delay no look-up
        queue_redis = RedisConnection(redis_address, longest_command=settings.queue_timeout)
    bounds = (settings.queue_limit, settings.queue_timeout, settings.queue_replicas)
    queue = LogQueue(queue_redis, sealer, *bounds)
    log = PredictionLog(connections, queue, settings.insert_timeout, settings.drain_timeout)
    cache = Cache(redis, sealer, settings.cache_ttl, settings.cache_timeout)
    store = settings.models.open()
    challengers = Challengers(store, load, settings.events_dir, "api", shadows=True)
    models = await asyncio.to_thread(ServedModels, store, load, challengers)
    models.follow()
    limits = Limits(settings.max_pending, settings.max_pending_rows, settings.max_wait)
    batcher = Batcher(cache, log, limits, challengers.failed)
    intake = Intake(models, settings.callers, settings.max_rows, settings.max_body_bytes)
    memory = MemoryBudget(settings.max_pending_bytes)
    stores = (database_address, redis_address)
    service = Service(settings, models, *stores, redis, log, intake, batcher, settings.keys, memory)
    follow(settings.database_url, settings.redis_url, settings.keys.secret)
    metrics.queue_limit.set(settings.queue_limit)
    metrics.model_max_age.set(settings.model_max_age_days * 86_400)
    async with AsyncExitStack() as stack:
        stack.enter_context(metrics.registered(ModelCollector(models)))
        for redis_connection in {redis, queue_redis}:
            await stack.enter_async_context(running(redis_connection.keep_connected))
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
    """Wait briefly for the stores, so that a new replica caches and logs its first requests."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_CONTACT_SECONDS):
            while not (service.redis.available and service.log.database_available):
                await asyncio.sleep(0.02)
