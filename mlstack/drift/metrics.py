"""The drift monitor's metrics, made from its last report at scrape time: nothing old is ever shown."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mlstack.drift.check import DriftReport
from mlstack.drift.loop import MonitoringLoop
from mlstack.drift.statistics import ColumnDrift

_COLUMNS = (
    ("drift_psi", "Population stability index of the column", "psi"),
    ("drift_psi_limit", "Index from which the column counts as drifted", "psi_limit"),
    ("drift_ks_statistic", "Two-sample Kolmogorov-Smirnov statistic of the column", "ks"),
    ("drift_ks_p_value", "Probability of such a statistic without drift", "ks_p_value"),
    ("drift_detected", "1 if both measures say that the column has drifted", "drifted"),
)


class DriftCollector(Collector):
    """Reads the loop's state; the label `column` is a feature's name or `prediction`."""

    def __init__(self, loop: MonitoringLoop) -> None:
        """Nothing is copied."""
        self._loop = loop

    def collect(self) -> Iterator[Metric]:
        """Yield the passes always, the rest as far as the last report goes."""
        passes = CounterMetricFamily("drift_passes", "Passes by what came of them", labels=["outcome"])
        for outcome, count in self._loop.passes.items():
            passes.add_metric([outcome], count)
        yield passes
        yield GaugeMetricFamily(
            "drift_last_success_timestamp_seconds",
            "When drift was last told, 0 for never",
            value=self._loop.last_success,
        )
        if self._loop.report is not None:
            yield from _of_report(self._loop.report)


def _of_report(report: DriftReport) -> Iterator[Metric]:
    yield GaugeMetricFamily("drift_model_version", "Version compared with", value=report.model_version)
    yield GaugeMetricFamily("drift_window_rows", "Logged rows in the window", value=report.window_rows)
    yield GaugeMetricFamily("drift_training_rows", "Rows compared with", value=report.training_rows)
    unchanged = float(report.training_data_unchanged)
    yield GaugeMetricFamily(
        "drift_training_data_unchanged", "1 if the table still is what was trained on", value=unchanged
    )
    yield GaugeMetricFamily(
        "drift_sufficient_data", "1 if the window holds enough rows", value=float(bool(report.columns))
    )
    if report.extrapolated_share is not None:
        yield GaugeMetricFamily(
            "drift_extrapolated_share",
            "Share of rows outside the range of the training data",
            value=report.extrapolated_share,
        )
    yield from _of_columns(report.columns)


def _of_columns(columns: tuple[ColumnDrift, ...]) -> Iterator[Metric]:
    for name, text, attribute in _COLUMNS:
        family = GaugeMetricFamily(name, text, labels=["column"])
        for column in columns:
            family.add_metric([column.name], float(getattr(column, attribute)))
        yield family
