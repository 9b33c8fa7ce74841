"""The tables of a report that show a version's metrics beside the baseline and the former version."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlstack.evaluation.holdout import PredictedClasses, PredictedValues

if TYPE_CHECKING:
    from mlstack.evaluation.comparison import Comparison

# Of prediction sets and intervals: they have a table of their own.
_OF_SETS = ("coverage", "set_size", "interval_width")


class MetricRow(NamedTuple):
    """A metric on the hold-out, and the same of others where it is known."""

    name: str
    model: float
    baseline: float | None
    shared: float | None  # of this version on the rows that the current version takes, if not on all
    current: float | None


def metric_rows(comparison: Comparison) -> list[MetricRow]:
    """Return the metrics on the hold-out with those of the baseline and of the current version."""
    evaluation, manifest = comparison.evaluation, comparison.candidate.metrics
    found = manifest | evaluation.metrics
    return [
        MetricRow(
            name,
            value,
            manifest.get(f"baseline_{name}"),
            evaluation.shared_metrics.get(name),
            evaluation.current_metrics.get(name),
        )
        for name, value in found.items()
        if not name.startswith("baseline_") and name not in _OF_SETS
    ]


class UncertaintyRow(NamedTuple):
    """How well the prediction sets or intervals hold, as text."""

    name: str
    model: str
    shared: str | None  # as in a MetricRow
    current: str | None


def uncertainty_rows(
    comparison: Comparison, holdout: PredictedValues | PredictedClasses
) -> list[UncertaintyRow]:
    """Return coverage and size of the sets or intervals; those of `holdout` if the verdict has none."""
    evaluation = comparison.evaluation
    if isinstance(holdout, PredictedClasses):
        shown = {"coverage": holdout.coverage, "set_size": holdout.set_size}
        titles = ("prediction sets that hold the actual class", "mean number of classes in a set")
    else:
        width = float((holdout.upper - holdout.lower).mean())
        shown = {"coverage": holdout.coverage, "interval_width": width}
        titles = ("95 % intervals that hold the actual value", "mean width of an interval")
    sources = (shown | evaluation.metrics, evaluation.shared_metrics, evaluation.current_metrics)
    rows = []
    for title, form, name in zip(titles, (".1%", ".6g"), shown, strict=True):
        own, part, current = (format(found[name], form) if name in found else None for found in sources)
        rows.append(UncertaintyRow(title, own or "", part, current))
    return rows
