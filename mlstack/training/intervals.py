"""Estimates the constants of the prediction intervals; the formulas are in mlstack/registry/intervals.py."""

from __future__ import annotations

import math

import numpy as np

from mlstack.registry.intervals import LEVEL, ConformalInterval, ConformalSets, LeastSquaresInterval
from mlstack.runtime.arrays import FloatArray
from mlstack.training.statistics import SufficientStatistics

_MAX_CONDITION_NUMBER = 1e5  # of the root of S


def least_squares_interval(
    statistics: SufficientStatistics, sum_of_squares: float
) -> LeastSquaresInterval | None:
    """Return the constants for training rows with these statistics and this sum of squared residuals.

    Return None where the theory does not apply: S is (nearly) singular, or n < p + 2.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to import, and only training needs it

    root = statistics.root[:-1, :-1]
    scale = np.linalg.norm(root, axis=0)
    freedom = statistics.rows - len(root) - 1
    # Columns are scaled first: otherwise the condition number would depend on the features' units.
    if freedom < 1 or not (scale > 0).all() or np.linalg.cond(root / scale) > _MAX_CONDITION_NUMBER:
        return None
    inverse = np.linalg.inv(root / scale) / scale[:, np.newaxis]
    return LeastSquaresInterval(
        mean=statistics.mean[:-1].tolist(),
        inverse_scatter=(inverse @ inverse.T).tolist(),
        rows=statistics.rows,
        residual_variance=sum_of_squares / freedom,
        quantile=float(stdtrit(freedom, (1 + LEVEL) / 2)),
        target_variance=statistics.target_variance,
    )


def conformal_interval(holdout_errors: FloatArray, target_variance: float) -> ConformalInterval:
    """Return the constants from hold-out residuals [m] and the variance of y in training.

    The half width is the ⌈0.95 (m + 1)⌉-th smallest absolute residual. With m < 19 no residual reaches a
    coverage of 95 %, so the largest one is used.
    """
    ordered = np.sort(np.abs(holdout_errors))
    rank = min(math.ceil(LEVEL * (len(ordered) + 1)), len(ordered))
    return ConformalInterval(
        half_width=float(ordered[rank - 1]),
        residual_variance=float(np.mean(ordered**2)),
        target_variance=target_variance,
    )


def conformal_sets(true_probabilities: FloatArray) -> ConformalSets:
    """Return the threshold from the hold-out: the probability [m] that the model gave each true class.

    With the score 1 - p it is 1 - q̂, q̂ being the ⌈0.95 (m + 1)⌉-th smallest score. With m < 19 there is none,
    and every class belongs to every set.
    """
    rank = math.ceil(LEVEL * (len(true_probabilities) + 1))
    if rank > len(true_probabilities):
        return ConformalSets(threshold=0.0)
    return ConformalSets(threshold=float(np.sort(true_probabilities)[len(true_probabilities) - rank]))
