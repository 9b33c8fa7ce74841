"""The pictures of a classifier: ROC, precision and recall, calibration by class; sizes of prediction sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlstack.evaluation.charts import FORMER, PALETTE, TRAINING, Picture, bars, line, printable, unit_chart
from mlstack.evaluation.holdout import PredictedClasses
from mlstack.registry.columns import Class, class_key
from mlstack.runtime.arrays import FloatArray

_CALIBRATION_BINS = 10
_MOST_SIZES = 12


class _Curve(NamedTuple):
    """One class against all others."""

    label: str
    colour: str
    actual: npt.NDArray[np.bool_]  # [m]
    probability: FloatArray  # [m]


def classification_pictures(
    classes: tuple[Class, ...], holdout: PredictedClasses, former: PredictedClasses | None = None
) -> list[Picture]:
    """Return the pictures of a classifier's hold-out; of many classes, of the most frequent ones.

    With two classes there is room for the former version's curve.
    """
    curves = list(_curves(classes, holdout))
    if former and len(classes) == 2 and curves:
        probability = former.probabilities[:, 1]
        curves.insert(0, _Curve(former.name, FORMER, curves[0].actual, probability))
    drawn = [_roc(curves), _precision_recall(curves), _calibration(curves)] if curves else []
    return [*drawn, _set_sizes(holdout)]


def _curves(classes: tuple[Class, ...], holdout: PredictedClasses) -> Iterator[_Curve]:
    """Yield a curve per class; of two classes only the second, because the first is its complement."""
    counts = np.bincount(holdout.actual, minlength=len(classes))
    known = np.flatnonzero((counts > 0) & (counts < len(holdout.actual)))
    shown = known[np.argsort(-counts[known], kind="stable")][: len(PALETTE)]
    positions = [1] if len(classes) == 2 and len(known) else sorted(shown.tolist())
    for colour, position in zip(PALETTE, positions, strict=False):
        label = class_key(classes[position])
        yield _Curve(label, colour, holdout.actual == position, holdout.probabilities[:, position])


def _one_class(curves: list[_Curve]) -> bool:
    """Return whether all curves are of one class, so that chance is the same for all."""
    return all(curve.actual is curves[0].actual for curve in curves)


def _roc(curves: list[_Curve]) -> Picture:
    from sklearn.metrics import roc_auc_score, roc_curve  # noqa: PLC0415 - takes seconds

    chart = unit_chart("ROC", "false positive rate", "true positive rate")
    line(chart, np.array([0.0, 1.0]), np.array([0.0, 1.0]), "chance", TRAINING)
    for curve in curves:
        false_positives, true_positives, _ = roc_curve(curve.actual, curve.probability)
        name = f"{printable(curve.label)}: {roc_auc_score(curve.actual, curve.probability):.3f}"
        line(chart, false_positives, true_positives, name, curve.colour)
    return Picture(chart, "True against false positive rate on the hold-out, with the area under each curve.")


def _precision_recall(curves: list[_Curve]) -> Picture:
    from sklearn.metrics import average_precision_score, precision_recall_curve  # noqa: PLC0415

    chart = unit_chart("Precision and recall", "recall", "precision")
    if _one_class(curves):
        line(chart, np.array([0.0, 1.0]), np.full(2, curves[0].actual.mean()), "chance", TRAINING)
    for curve in curves:
        precision, recall, _ = precision_recall_curve(curve.actual, curve.probability)
        name = f"{printable(curve.label)}: {average_precision_score(curve.actual, curve.probability):.3f}"
        line(chart, recall, precision, name, curve.colour)
    return Picture(
        chart, "Precision against recall on the hold-out, with the average precision of each class."
    )


def _calibration(curves: list[_Curve]) -> Picture:
    from sklearn.calibration import calibration_curve  # noqa: PLC0415

    chart = unit_chart("Calibration", "predicted probability", "share of the rows")
    line(chart, np.array([0.0, 1.0]), np.array([0.0, 1.0]), "perfect", TRAINING)
    for curve in curves:
        share, predicted = calibration_curve(
            curve.actual, curve.probability, n_bins=_CALIBRATION_BINS, strategy="quantile"
        )
        line(chart, predicted, share, printable(curve.label), curve.colour)
    return Picture(chart, "Share of the hold-out rows of a class against its predicted probability.")


def _set_sizes(holdout: PredictedClasses) -> Picture:
    sizes = np.bincount(holdout.members.sum(axis=1))
    heights = [(str(size), float(count / sizes.sum())) for size, count in enumerate(sizes) if size]
    chart = bars("Prediction sets", "classes in a set", "share of the rows", heights[:_MOST_SIZES])
    return Picture(chart, "Share of the hold-out rows by the number of classes in their prediction set.")
