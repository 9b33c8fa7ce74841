"""How far a prediction may be off: constants estimated once in training, applied to every answer.

Least squares (theory of the linear model, normal errors): a new observation at x is in 95 % of cases within
    ŷ ± t(.975, n-p-1) · s · sqrt(1 + 1/n + (x - x̄)ᵀ S⁻¹ (x - x̄)),
S the scatter matrix Σ (xᵢ - x̄)(xᵢ - x̄)ᵀ. Any other estimator: split conformal prediction (Lei et al. 2018),
the half width is the ⌈0.95 (n + 1)⌉-th smallest absolute residual of the hold-out.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from pipeline.moments import FloatArray, Moments

LEVEL = 0.95
_WORST_CONDITION = 1e5  # of the root of S


class LeastSquaresInterval(msgspec.Struct, frozen=True, kw_only=True, tag="least squares"):
    """Constants of the interval that the theory of the linear model gives."""

    mean: list[float]  # x̄, one per feature
    inverse_scatter: list[list[float]]  # S⁻¹
    rows: int  # n
    residual_variance: float  # s²
    quantile: float  # t(.975, n-p-1)
    target_variance: float  # of y in training


class ConformalInterval(msgspec.Struct, frozen=True, kw_only=True, tag="split conformal"):
    """The same half width everywhere, from the residuals of the hold-out."""

    half_width: float
    residual_variance: float  # mean squared error on the hold-out
    target_variance: float  # of y in training


Interval = LeastSquaresInterval | ConformalInterval


def least_squares_interval(moments: Moments, sum_of_squares: float) -> LeastSquaresInterval | None:
    """Return the constants for training rows with these moments and this sum of squared residuals.

    None where the theory gives none: S is singular, or n < p + 2.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - heavy, and only training needs it

    root = moments.root[:-1, :-1]
    scale = np.linalg.norm(root, axis=0)
    freedom = moments.rows - len(root) - 1
    # Scaled, because features in different units would hide how far S is from being singular.
    if freedom < 1 or not (scale > 0).all() or np.linalg.cond(root / scale) > _WORST_CONDITION:
        return None
    inverse = np.linalg.inv(root / scale) / scale[:, np.newaxis]
    return LeastSquaresInterval(
        mean=moments.mean[:-1].tolist(),
        inverse_scatter=(inverse @ inverse.T).tolist(),
        rows=moments.rows,
        residual_variance=sum_of_squares / freedom,
        quantile=float(stdtrit(freedom, (1 + LEVEL) / 2)),
        target_variance=moments.target_variance,
    )


def conformal_interval(holdout_errors: FloatArray, target_variance: float) -> ConformalInterval:
    """Return the constants from hold-out residuals [m] and the variance of y in training.

    With m < 19 no half width covers 95 %: the largest residual is the best there is.
    """
    ordered = np.sort(np.abs(holdout_errors))
    rank = min(math.ceil(LEVEL * (len(ordered) + 1)), len(ordered))
    return ConformalInterval(
        half_width=float(ordered[rank - 1]),
        residual_variance=float(np.mean(ordered**2)),
        target_variance=target_variance,
    )
