"""The function that predicts with an estimator: its own `predict`, or a faster equivalent.

scikit-learn validates and parallelises each call, which costs more than a small prediction itself. A faster
function is used only if it gives the estimator's results on probe rows: bit-identical for trees, and within
the rounding error of the matrix product for linear models.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlstack.registry.artifact import Estimator
from mlstack.registry.columns import Column, vary
from mlstack.runtime.arrays import FloatArray

Predict = Callable[[FloatArray], FloatArray]  # rows [n, k] -> values [n], or probabilities [n, c]

_FORESTS = frozenset({"RandomForestRegressor", "ExtraTreesRegressor"})
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


class PredictionOverflow(ArithmeticError):
    """A prediction for finite rows is not finite: the input is too large for the model."""


def probes_around(centre: FloatArray) -> FloatArray:
    """Return random rows [60, k] around `centre` [k], at distances from 1e-3 to 1e6."""
    steps = np.random.default_rng(0).normal(size=(60, len(centre)))
    return centre + steps * np.logspace(-3, 6, 60)[:, np.newaxis]


def probe_rows(columns: tuple[Column, ...], centre: FloatArray) -> FloatArray:
    """Return random encoded rows [60, k], numbers around `centre` [k], with NULL and unseen categories."""
    return vary(columns, probes_around(centre))


def linear_predict(estimator: Estimator, probes: FloatArray) -> Predict | None:
    """Return x ↦ Σ coefficients · x + intercept, summed column by column, if the estimator computes that.

    Without scikit-learn's validation a call costs 1 µs instead of 58 µs.
    """
    coefficients = getattr(estimator, "coef_", None)
    intercept = getattr(estimator, "intercept_", np.nan)
    if not isinstance(coefficients, np.ndarray) or coefficients.shape != probes.shape[1:]:
        return None
    if np.size(intercept) != 1:
        return None
    slope = np.ascontiguousarray(coefficients, dtype=np.float64)
    offset = float(np.reshape(np.asarray(intercept, dtype=np.float64), ()))
    size = np.abs(probes) @ np.abs(slope) + abs(offset)
    with np.errstate(all="ignore"):
        wrong = np.abs(own_predict(estimator)(probes) - (probes @ slope + offset)) > 1e-12 * size
    return None if wrong.any() else _by_column(slope, offset)


def quickest_predict(estimator: Estimator, probes: FloatArray, classes: int = 0) -> Predict:
    """Return the estimator's own function, or a faster one with bit-identical results.

    That is `predict`, or with classes `predict_proba`.
    """
    if classes:
        return own_probabilities(estimator)
    own, name = own_predict(estimator), type(estimator).__name__
    try:
        if name in _FORESTS:
            quick = _forest_predict(estimator)
        elif name == "HistGradientBoostingRegressor":
            quick = _boosted_predict(estimator)
        else:
            return own
        return quick if (quick(probes) == own(probes)).all() else own
    except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError):
        return own  # a scikit-learn release with other private attributes


def own_predict(estimator: Estimator) -> Predict:
    """Return the estimator's `predict`, which raises PredictionOverflow for rows beyond its float32 range."""

    def predict(rows: FloatArray) -> FloatArray:
        try:
            return np.asarray(estimator.predict(rows), dtype=np.float64).reshape(len(rows))
        except ValueError as error:  # finite in float64, but not in its float32
            raise PredictionOverflow(str(error).partition("\n")[0]) from error

    return predict


def own_probabilities(estimator: Estimator) -> Predict:
    """Return the estimator's `predict_proba`; it raises PredictionOverflow as `own_predict` does."""

    def probabilities(rows: FloatArray) -> FloatArray:
        try:
            return np.asarray(estimator.predict_proba(rows), dtype=np.float64)
        except ValueError as error:
            raise PredictionOverflow(str(error).partition("\n")[0]) from error

    return probabilities


def _by_column(coefficients: FloatArray, intercept: float) -> Predict:
    def predict(rows: FloatArray) -> FloatArray:
        values: FloatArray = rows[:, 0] * coefficients[0]
        for column in range(1, len(coefficients)):
            values += rows[:, column] * coefficients[column]
        values += intercept
        return values

    return predict


def _forest_predict(estimator: Any) -> Predict:
    """Average the trees as the forest's `predict` does, without one joblib task per tree."""
    trees = [tree.tree_ for tree in estimator.estimators_]

    def predict(rows: FloatArray) -> FloatArray:
        if np.abs(rows).max() > _LARGEST_FLOAT32:
            raise PredictionOverflow("trees compare float32 numbers, and the input holds a larger one")
        narrow = np.ascontiguousarray(rows, dtype=np.float32)
        total = np.zeros(len(rows))
        for tree in trees:
            total += tree.predict(narrow)[:, 0]
        total /= len(trees)
        return total

    return predict


def _boosted_predict(estimator: Any) -> Predict:
    """Sum the trees as HistGradientBoostingRegressor does, without its preparation at each call."""
    categories, positions = estimator._bin_mapper.make_known_categories_bitsets()
    trees = [tree.predict for iteration in estimator._predictors for tree in iteration]
    baseline = float(np.reshape(estimator._baseline_prediction, ()))

    def predict(rows: FloatArray) -> FloatArray:
        total = np.full(len(rows), baseline)
        for tree in trees:
            total += tree(rows, categories, positions, 1)
        return total

    return predict
