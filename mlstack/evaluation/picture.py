"""Takes the points of a version's picture from the comparison of the quality gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlstack.evaluation.holdout import PredictedClasses
from mlstack.registry.picture import MOST_POINTS, Picture, Points
from mlstack.runtime.arrays import FloatArray
from mlstack.training.splitting import Dataset

if TYPE_CHECKING:
    from mlstack.evaluation.comparison import Comparison


def picture_of(comparison: Comparison) -> Picture:
    """Return the fit over the only feature, else what was predicted of the hold-out."""
    model, found = comparison.candidate, comparison.predicted
    if isinstance(found, PredictedClasses):
        return Picture(kind="confusion", counts=found.confusion.tolist())
    if model.n_features == 1 and model.plain:
        return Picture(kind="fit", training=_points(comparison.training), holdout=_points(comparison.holdout))
    return Picture(kind="agreement", holdout=_pairs(found.actual[:MOST_POINTS], found.fitted[:MOST_POINTS]))


def _points(rows: Dataset) -> Points:
    return _pairs(rows.x[:MOST_POINTS, 0], rows.y[:MOST_POINTS])


def _pairs(x: FloatArray, y: FloatArray) -> Points:
    return list(zip(x.tolist(), y.tolist(), strict=True))
