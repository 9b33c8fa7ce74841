"""Prediction intervals. Training estimates their constants, the manifest stores them, predictions use them.

Least squares (theory of the linear model, normal errors): a new observation at x is in 95 % of cases within
    ŷ ± t(.975, n-p-1) · s · sqrt(1 + 1/n + (x - x̄)ᵀ S⁻¹ (x - x̄)),
S the scatter matrix Σ (xᵢ - x̄)(xᵢ - x̄)ᵀ. Any other estimator: split conformal prediction (Lei et al. 2018),
one half width everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from mlstack.runtime.arrays import FloatArray

LEVEL = 0.95

Deviation: TypeAlias = "Callable[[FloatArray], FloatArray]"  # rows [n, k] -> standard deviations [n]


class LeastSquaresInterval(msgspec.Struct, frozen=True, kw_only=True, tag="least squares"):
    """Constants of the interval of the linear model with normal errors."""

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

    @property
    def quantile(self) -> float:
        """The half width in standard deviations of the residuals."""
        return self.half_width / math.sqrt(self.residual_variance) if self.residual_variance > 0 else 0.0


class ConformalSets(msgspec.Struct, frozen=True, kw_only=True, tag="conformal sets"):
    """Prediction sets of a classifier: the likeliest class, and all of probability `threshold` or more.

    Split conformal prediction with the score 1 - p of the true class (Sadinle, Lei, Wasserman 2019).
    """

    threshold: float


Interval = LeastSquaresInterval | ConformalInterval | ConformalSets


def predictive_deviation(interval: Interval) -> Deviation:
    """Return the function that gives the standard deviation of a new observation at each row."""
    import numpy as np  # noqa: PLC0415 - slow to import, and not needed to read a manifest

    if isinstance(interval, ConformalSets):
        return lambda rows: np.zeros(len(rows))
    if isinstance(interval, LeastSquaresInterval):
        return _least_squares_deviation(interval)
    deviation = np.sqrt(interval.residual_variance)
    return lambda rows: np.full(len(rows), deviation)


def _least_squares_deviation(interval: LeastSquaresInterval) -> Deviation:
    """Return s·sqrt(1 + 1/n + ‖(x - x̄) L‖²) with S⁻¹ = L Lᵀ, by hypot, so that no square overflows."""
    import numpy as np  # noqa: PLC0415

    mean = np.asarray(interval.mean)
    deviation = np.sqrt(interval.residual_variance)
    factor = np.linalg.cholesky(np.asarray(interval.inverse_scatter)) * deviation
    base = deviation * np.sqrt(1.0 + 1.0 / interval.rows)

    def deviations(rows: FloatArray) -> FloatArray:
        centred = rows - mean
        total: FloatArray = np.full(len(rows), base)
        for column in range(len(mean)):
            leverage = centred[:, column] * factor[column, column]
            for row in range(column + 1, len(mean)):
                leverage += centred[:, row] * factor[row, column]
            total = np.hypot(total, leverage)
        return total

    return deviations
