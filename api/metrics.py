"""Every metric of the inference service. Labels come from closed sets and are bound once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # process_cpu_seconds_total, process_resident_memory_bytes and more

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@contextmanager
def registered(collector: Collector) -> Iterator[None]:
    """Include a collector in what is scraped, until the block ends."""
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)


prediction_instances = Counter(
    "prediction_instances_total", "Instances predicted, cached or not", registry=REGISTRY
)
batch_requests = Histogram(
    "prediction_batch_requests", "Requests answered together", buckets=_SIZES, registry=REGISTRY
)
_cache = Counter("cache_requests_total", "Cache look-ups by result", ["result"], registry=REGISTRY)
cache = {result: _cache.labels(result) for result in ("hit", "miss", "error")}

_rows_logged = Counter(
    "prediction_log_rows_total", "Rows of the log written, by path", ["way"], registry=REGISTRY
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
    "Time of the last creation and removal of partitions, 0 for never",
    registry=REGISTRY,
)

model_max_age = Gauge(
    "model_max_age_seconds",
    "Age from which the alert ModelOld tells of a version, 0 for never",
    registry=REGISTRY,
)

_shadow_rows = Counter(
    "shadow_rows_total", "Rows for the shadow: scored, dropped, failed", ["result"], registry=REGISTRY
)
shadow_rows = {result: _shadow_rows.labels(result) for result in ("scored", "dropped", "failed")}

shadow_version = Gauge("shadow_version", "Version that is scored; 0 without one", registry=REGISTRY)

store_up = Gauge("store_up", "1 while the store answers", ["store"], registry=REGISTRY)
