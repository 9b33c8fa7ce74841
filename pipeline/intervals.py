"""How far a prediction may be off: constants estimated once in training, applied to every answer.

Least squares (theory of the linear model, normal errors): a new observation at x is in 95 % of cases within
    ŷ ± t(.975, n-p-1) · s · sqrt(1 + 1/n + (x - x̄)ᵀ S⁻¹ (x - x̄)),
S the scatter matrix Σ (xᵢ - x̄)(xᵢ - x̄)ᵀ. Any other estimator: split conformal prediction (Lei et al. 2018),
the half width is the ⌈0.95 (n + 1)⌉-th smallest absolute residual of the hold-out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEVEL = 0.95
BLOCK_ROWS = 1 << 16
_WORST_CONDITION = 1e10


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


def blocks(rows: int) -> Iterator[slice]:
    """Cut 0 … rows into slices of bounded length: temporaries stay small however long the table."""
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, rows))


def residuals(predict: Callable[[FloatArray], FloatArray], x: FloatArray, y: FloatArray) -> FloatArray:
    """Return y - ŷ, shape [n]."""
    errors = np.empty(len(y))
    for part in blocks(len(y)):
        errors[part] = y[part] - np.asarray(predict(x[part])).reshape(-1)
    return errors


def least_squares_interval(x: FloatArray, y: FloatArray, errors: FloatArray) -> LeastSquaresInterval | None:
    """Return the constants for training rows x [n, p], y [n]; None where S is singular or n < p + 2."""
    from scipy.special import stdtrit  # noqa: PLC0415 - heavy, and only training needs it

    rows, features = x.shape
    freedom = rows - features - 1
    mean = x.mean(axis=0)
    scale = np.sqrt(_scatter(x, mean, np.ones(features)).diagonal())
    if freedom < 1 or not (scale > 0).all():
        return None
    correlation = _scatter(x, mean, scale)  # scaled: features in different units would hide a singular S
    if np.linalg.cond(correlation) > _WORST_CONDITION:
        return None
    return LeastSquaresInterval(
        mean=mean.tolist(),
        inverse_scatter=(np.linalg.inv(correlation) / np.outer(scale, scale)).tolist(),
        rows=rows,
        residual_variance=float(errors @ errors) / freedom,
        quantile=float(stdtrit(freedom, (1 + LEVEL) / 2)),
        target_variance=float(y.var()),
    )


def conformal_interval(holdout_errors: FloatArray, y: FloatArray) -> ConformalInterval:
    """Return the constants from hold-out residuals [m] and training targets y.

    With m < 19 no half width covers 95 %: the largest residual is the best there is.
    """
    ordered = np.sort(np.abs(holdout_errors))
    rank = min(math.ceil(LEVEL * (len(ordered) + 1)), len(ordered))
    return ConformalInterval(
        half_width=float(ordered[rank - 1]),
        residual_variance=float(np.mean(ordered**2)),
        target_variance=float(y.var()),
    )


def _scatter(x: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    total = np.zeros((x.shape[1], x.shape[1]))
    for part in blocks(len(x)):
        centred = (x[part] - mean) / scale
        total += centred.T @ centred
    return total
