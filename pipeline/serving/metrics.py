"""The Flask server's metrics; every label comes from a closed set."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pipeline.current_model import CurrentModel

UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class ModelCollector(Collector):
    """Tells at scrape time which version answers and whether a newer one was refused."""

    def __init__(self, current: CurrentModel) -> None:
        """Nothing is copied: a swap shows in the next scrape."""
        self._current = current

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield model_info (one series), model_version and model_refused."""
        model, refusal = self._current.get(), self._current.refusal
        info = GaugeMetricFamily(
            "model_info", "The model that answers", labels=["version", "digest", "estimator"]
        )
        if model is not None:
            info.add_metric([str(model.version), model.digest[:12], model.estimator_name], 1)
        yield info
        version = 0 if model is None else model.version
        yield GaugeMetricFamily("model_version", "Version that answers; 0 without a model", value=version)
        refused = GaugeMetricFamily("model_refused", "1 while the current version is refused")
        refused.add_metric([], float(refusal is not None))
        yield refused


class ServingMetrics:
    """All metrics of one replica, in a registry of their own."""

    def __init__(self, current: CurrentModel) -> None:
        """Register everything; `current` is read at every scrape."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(ModelCollector(current))
        self._requests = Counter(
            "http_requests_total", "Requests answered", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from the parsed header to the finished answer",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered", registry=self._registry)
        self.rows = Counter("prediction_rows_total", "Rows predicted", registry=self._registry)
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one answered request; `route` is its template, None when no route matched."""
        key = (method if method in _METHODS else "other", route or UNMATCHED, status)
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
