"""The live error's metrics, made from the last result at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mlstack.live.errors import LiveError


class LiveErrorCollector(Collector):
    """Shows the result of the last check; the label `measure` is rmse, mae, log_loss, coverage …"""

    def __init__(self, latest: Callable[[], tuple[LiveError, ...]]) -> None:
        """`latest` returns the last result."""
        self._latest = latest

    def collect(self) -> Iterator[Metric]:
        """Yield the measures of each version, on true values and on its hold-out."""
        rows = GaugeMetricFamily(
            "live_truths", "Rows with a true value in the window", labels=["model_version"]
        )
        live = GaugeMetricFamily(
            "live_error", "Measure on the true values in the window", labels=["model_version", "measure"]
        )
        holdout = GaugeMetricFamily(
            "holdout_error", "The same measure on the hold-out", labels=["model_version", "measure"]
        )
        for each in self._latest():
            version = str(each.model_version)
            rows.add_metric([version], each.rows)
            for family, measures in ((live, each.measures), (holdout, each.holdout)):
                for measure, value in measures.items():
                    family.add_metric([version, measure], value)
        yield from (rows, live, holdout)
