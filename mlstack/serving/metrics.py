"""The Flask server's metrics; every label comes from a closed set."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from mlstack.web.metrics import SECONDS, UNMATCHED, ModelCollector, method_label
from mlstack.web.served_models import ServedModels


class ServingMetrics:
    """All metrics of one replica, in a registry of their own."""

    def __init__(self, models: ServedModels) -> None:
        """Register everything; `models` is read at every scrape."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(ModelCollector(models))
        self._requests = Counter(
            "http_requests_total", "Requests answered", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from the parsed header to the finished answer",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered", registry=self._registry)
        self.instances = Counter("prediction_instances_total", "Instances predicted", registry=self._registry)
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one answered request; `route` is its template, None when no route matched."""
        key = (method_label(method), route or UNMATCHED, status)
        if key not in self._bound:
            self._bound[key] = self._bind(*key)
        counter, histogram = self._bound[key]
        counter.inc()
        histogram.observe(seconds)

    def render(self) -> bytes:
        """Return the exposition text, version 0.0.4."""
        return generate_latest(self._registry)

    def _bind(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(route, method, str(status)), self._seconds.labels(route)
