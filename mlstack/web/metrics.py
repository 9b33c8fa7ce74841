"""The metrics that both servers share. Every label comes from a closed set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mlstack.web.challengers import Challengers
from mlstack.web.served_models import ServedModels

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
UNMATCHED = (
    "unmatched"  # the route of a path that no route matches: a label by raw path would grow without bound
)
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


def method_label(method: str) -> str:
    """Return the method if the servers know it, else `other`."""
    return method if method in _METHODS else "other"


class ModelCollector(Collector):
    """Reads at scrape time which version is served and whether a newer one was refused."""

    def __init__(self, models: ServedModels) -> None:
        """Keep a reference: each scrape shows the present model."""
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """Yield model_info, model_created_timestamp_seconds, and one series for each other fact."""
        current = self._models.current
        model = current.get()
        info = GaugeMetricFamily(
            "model_info", "The model that is served", labels=["version", "digest", "estimator"]
        )
        if model is not None:
            info.add_metric([str(model.version), model.digest[:12], model.estimator_name], 1)
        yield info
        created = GaugeMetricFamily("model_created_timestamp_seconds", "When the served version was trained")
        if model is not None:
            created.add_metric([], datetime.fromisoformat(model.manifest.provenance.created).timestamp())
        yield created
        version = model.version if model else 0
        yield GaugeMetricFamily("model_version", "Version that is served; 0 without a model", value=version)
        refused = float(current.refusal is not None)
        yield GaugeMetricFamily(
            "model_refused", "1 while `current` names a version that was refused", value=refused
        )
        yield GaugeMetricFamily(
            "model_store_up",
            "1 while changes in the model store are seen",
            value=float(current.reaches_store),
        )
        yield CounterMetricFamily("model_loads", "Versions loaded as the current one", value=current.loads)
        yield from _tried(self._models.challengers)


def _tried(challengers: Challengers) -> Iterator[Metric]:
    """Yield canary_version, canary_share, canary_taken_back and canary_failed_calls_total."""
    canary, found = challengers.canary, challengers.set_canary
    yield GaugeMetricFamily(
        "canary_version", "Version that answers a share; 0 without one", value=found.version if found else 0
    )
    share = canary.challenger.share if canary else 0.0
    yield GaugeMetricFamily("canary_share", "Share of the callers that it answers", value=share)
    yield GaugeMetricFamily(
        "canary_taken_back",
        "1 if the canary was taken back",
        value=float(challengers.taken_back),
    )
    failed = CounterMetricFamily(
        "canary_failed_calls", "Failed calls of the model while there is a canary", labels=["model"]
    )
    failed.add_metric(["canary"], canary.failures if canary else 0)
    failed.add_metric(["current"], canary.current_failures if canary else 0)
    yield failed
