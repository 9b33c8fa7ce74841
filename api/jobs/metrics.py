"""Metrics of asynchronous predictions that the api and the worker share."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

REGISTRY = CollectorRegistry()

broker_up = Gauge("jobs_broker_up", "1 while RabbitMQ answers", registry=REGISTRY)
published = Counter("jobs_published_total", "Messages that RabbitMQ confirmed", registry=REGISTRY)
publish_failures = Counter(
    "jobs_publish_failures_total",
    "Messages that RabbitMQ did not confirm; published again later",
    registry=REGISTRY,
)
