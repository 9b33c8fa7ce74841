"""The functions that predict with an estimator as scikit-learn does, and the rows to compare faster ones on.

scikit-learn validates and parallelises each call, which costs more than a small prediction itself. A faster
function is used only if it gives the estimator's results on probe rows: bit-identical for trees (trees.py),
and within the rounding error of the matrix product for linear models (linear.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.registry.columns import Column, vary
from mlstack.runtime.arrays import FloatArray

Predict = Callable[[FloatArray], FloatArray]  # rows [n, k] -> values [n], or probabilities [n, c]


class PredictionOverflow(ArithmeticError):
    """A prediction for finite rows is not finite: the input is too large for the model."""


def probes_around(centre: FloatArray) -> FloatArray:
    """Return random rows [60, k] around `centre` [k], at distances from 1e-3 to 1e6."""
    steps = np.random.default_rng(0).normal(size=(60, len(centre)))
    return centre + steps * np.logspace(-3, 6, 60)[:, np.newaxis]


def probe_rows(columns: tuple[Column, ...], centre: FloatArray) -> FloatArray:
    """Return random encoded rows [60, k], numbers around `centre` [k], with NULL and unseen categories."""
    return vary(columns, probes_around(centre))


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
