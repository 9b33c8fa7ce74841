"""Every metric of the inference service. Labels come from closed sets and are bound once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.registry import Collector

from mlstack.web.metrics import SECONDS

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # process_cpu_seconds_total, process_resident_memory_bytes and more

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

requests = Counter(
    "http_requests_total", "Requests answered", ["route", "method", "status"], registry=REGISTRY
)
request_seconds = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request",
    ["route"],
    buckets=SECONDS,
    registry=REGISTRY,
)


@contextmanager
def registered(collector: Collector) -> Iterator[None]:
    """Include a collector in what is scraped, until the block ends."""
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)


class InFlight:
    """A plain number that the gauge reads: counting up and down costs no lock for each request."""

    count = 0


in_flight = InFlight()
Gauge("http_requests_in_flight", "Requests being answered", registry=REGISTRY).set_function(
    lambda: in_flight.count
)

prediction_instances = Counter(
    "prediction_instances_total", "Instances predicted, cached or not", registry=REGISTRY
)
batch_requests = Histogram(
    "prediction_batch_requests", "Requests answered together", buckets=_SIZES, registry=REGISTRY
)
_cache = Counter("cache_requests_total", "Cache look-ups by result", ["result"], registry=REGISTRY)
cache = {result: _cache.labels(result) for result in ("hit", "miss", "error")}

_rows_logged = Counter(
    "prediction_log_rows_total", "Rows made durable, by the way they took", ["way"], registry=REGISTRY
)
rows_logged = {way: _rows_logged.labels(way) for way in ("direct", "queued", "drained")}
log_failures = Counter(
    "prediction_log_failures_total", "Predictions refused because they could not be logged", registry=REGISTRY
)
rows_set_aside = Counter(
    "prediction_log_set_aside_total", "Queued rows that PostgreSQL refused", registry=REGISTRY
)
queue_length = Gauge(
    "prediction_log_queue_length", "Rows that wait in Redis for PostgreSQL", registry=REGISTRY
)
queue_limit = Gauge("prediction_log_queue_limit", "Rows that may wait in Redis", registry=REGISTRY)
log_maintained = Gauge(
    "prediction_log_maintained_timestamp_seconds",
    "When partitions were made and dropped last, 0 for never",
    registry=REGISTRY,
)

store_up = Gauge("store_up", "1 while the store answers", ["store"], registry=REGISTRY)
