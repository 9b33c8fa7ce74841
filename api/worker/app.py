"""The worker's parts, opened in order and closed in reverse, and its two pages: /health and /metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from math import inf

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.postgres import PostgresConnection
from api.jobs.broker import Broker
from api.jobs.metrics import REGISTRY
from api.worker import metrics
from api.worker.answering import Answering
from api.worker.consumer import Consumer
from api.worker.heartbeat import Heartbeat
from api.worker.job_rows import WorkStore
from api.worker.settings import WorkerSettings
from api.worker.sweeper import Sweeper
from mlstack.inference.trial import TrialLoader
from mlstack.runtime.secret_files import follow
from mlstack.web.served_models import ServedModels

logger = logging.getLogger(__name__)

_DRAIN_SECONDS = 10.0
_SILENCE_SECONDS = 15.0  # a task waits up to 10 s for a store


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Process jobs while the application is open; then finish those in progress, return other messages."""
    settings: WorkerSettings = app.state.settings
    trials = TrialLoader(settings.max_model_bytes)  # before there are threads
    heartbeat = Heartbeat(max(_SILENCE_SECONDS, float(settings.jobs.lease_seconds)))
    consumer = Consumer(heartbeat)
    broker_address = StoreAddress("rabbitmq", settings.jobs.broker_url)
    broker = Broker(broker_address, "worker", consumer.deliver, prefetch=2 * settings.concurrency)
    models = await asyncio.to_thread(ServedModels, settings.models.open(), trials.load)
    models.follow()
    database = StoreAddress("postgres", settings.database_url)
    follow(settings.database_url, settings.jobs.broker_url)
    sweeping, *working = [PostgresConnection(database) for _ in range(settings.concurrency + 1)]
    sweeper = Sweeper(sweeping, broker, heartbeat)
    app.state.heartbeat, app.state.broker, app.state.postgres = heartbeat, broker, sweeping
    async with AsyncExitStack() as stack:
        for connection in (sweeping, *working):
            await stack.enter_async_context(running(connection.keep_connected))
        for number, connection in enumerate(working):
            name = f"job loop {number}"
            store = WorkStore(connection, settings.jobs.lease_seconds, partial(heartbeat.beat, name))
            answering = Answering(store, models, settings.max_rows, partial(heartbeat.beat, name))
            await stack.enter_async_context(running(partial(consumer.process, name, answering)))
        await stack.enter_async_context(running(broker.keep_connected))
        await stack.enter_async_context(running(sweeper.sweep_forever))
        yield
        await broker.stop_consuming()
        with suppress(TimeoutError):
            await asyncio.wait_for(consumer.drained(), _DRAIN_SECONDS)
        logger.info("drained")


async def health(request: Request) -> Response:
    """Answer 200 while every task makes progress; an unreachable store does not make the worker unhealthy."""
    state = request.app.state
    hung = state.heartbeat.hung()
    status = "hung" if hung else "healthy" if state.broker.seen_within(inf) else "starting"
    report = {
        "status": status,
        "hung": hung,
        "rabbitmq": "connected" if state.broker.available else "unreachable",
        "database": "connected" if state.postgres.available else "unreachable",
    }
    return JSONResponse(report, 200 if status == "healthy" else 503)


async def metrics_page(request: Request) -> Response:
    """Return the metrics in Prometheus' text format."""
    state = request.app.state
    metrics.store_up.labels("postgres").set(state.postgres.available)
    metrics.hung.set(bool(state.heartbeat.hung()))
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


def create_app(settings: WorkerSettings) -> Starlette:
    """Build the application; nothing is opened before its lifespan begins."""
    app = Starlette(routes=[Route("/health", health), Route("/metrics", metrics_page)], lifespan=lifespan)
    app.state.settings = settings
    return app
