"""The drift monitor's metrics, made from its last report at each scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mlstack.drift.check import DriftReport
from mlstack.drift.loop import MonitoringLoop
from mlstack.drift.statistics import ColumnDrift

_COLUMNS = (
    ("drift_psi", "Population stability index of the column", "psi"),
    ("drift_psi_limit", "Index above which the column counts as drifted", "psi_limit"),
    ("drift_ks_statistic", "Two-sample Kolmogorov-Smirnov statistic of a column of numbers", "ks"),
    ("drift_ks_p_value", "Probability of at least this statistic without drift", "ks_p_value"),
    ("drift_chi_squared", "Chi-squared statistic of a column of categories", "chi_squared"),
    (
        "drift_chi_squared_p_value",
        "Probability of at least this statistic without drift",
        "chi_squared_p_value",
    ),
    ("drift_detected", "1 if both measures say that the column has drifted", "drifted"),
)


class DriftCollector(Collector):
    """Reads the state of `loop`; the label `column` is a feature's name or `prediction`."""

    def __init__(self, loop: MonitoringLoop) -> None:
        """Keep a reference: each scrape shows the state of that moment."""
        self._loop = loop

    def collect(self) -> Iterator[Metric]:
        """Yield the counts of checks always, and what the last report holds."""
        passes = CounterMetricFamily("drift_passes", "Checks by outcome", labels=["outcome"])
        for outcome, count in self._loop.passes.items():
            passes.add_metric([outcome], count)
        yield passes
        yield GaugeMetricFamily(
            "drift_last_success_timestamp_seconds",
            "Time of the last successful check, 0 for none",
            value=self._loop.last_success,
        )
        if self._loop.report is not None:
            yield from _of_report(self._loop.report)


def _of_report(report: DriftReport) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "drift_model_version", "Model version whose requests were compared", value=report.model_version
    )
    yield GaugeMetricFamily("drift_window_rows", "Logged rows in the window", value=report.window_rows)
    yield GaugeMetricFamily(
        "drift_training_rows", "Training rows in the comparison", value=report.training_rows
    )
    yield GaugeMetricFamily(
        "drift_skipped_requests",
        "Logged requests in the window whose rows are not of the version's columns",
        value=report.skipped_requests,
    )
    unchanged = float(report.training_data_unchanged)
    yield GaugeMetricFamily(
        "drift_training_data_unchanged",
        "1 if the training table still holds the rows that the version was trained on",
        value=unchanged,
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
            value = getattr(column, attribute)
            if value is not None:  # a column has one of the two tests
                family.add_metric([column.name], float(value))
        yield family
