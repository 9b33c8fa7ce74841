"""Estimating the constants of the prediction intervals; mlstack/registry/intervals.py has the formulas."""

from __future__ import annotations

import math

import numpy as np

from mlstack.registry.intervals import LEVEL, ConformalInterval, LeastSquaresInterval
from mlstack.runtime.arrays import FloatArray
from mlstack.training.statistics import SufficientStatistics

_WORST_CONDITION = 1e5  # of the root of S


def least_squares_interval(
    statistics: SufficientStatistics, sum_of_squares: float
) -> LeastSquaresInterval | None:
    """Return the constants for training rows with these statistics and this sum of squared residuals.

    None where the theory gives none: S is singular, or n < p + 2.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - heavy, and only training needs it

    root = statistics.root[:-1, :-1]
    scale = np.linalg.norm(root, axis=0)
    freedom = statistics.rows - len(root) - 1
    # Scaled, because features in different units would hide how far S is from being singular.
    if freedom < 1 or not (scale > 0).all() or np.linalg.cond(root / scale) > _WORST_CONDITION:
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

    The half width is the ⌈0.95 (m + 1)⌉-th smallest absolute residual.

    With m < 19 no half width covers 95 %: the largest residual is the best there is.
    """
    ordered = np.sort(np.abs(holdout_errors))
    rank = min(math.ceil(LEVEL * (len(ordered) + 1)), len(ordered))
    return ConformalInterval(
        half_width=float(ordered[rank - 1]),
        residual_variance=float(np.mean(ordered**2)),
        target_variance=target_variance,
    )
