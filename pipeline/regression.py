"""A published model, loaded: verified, immutable, safe to share between threads.

The linear path is element-wise: a row's answer is the same to the last bit whatever rows it is asked with.
Of other estimators that cannot be said: a matrix product may round differently for another number of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.artifact import linear_terms, load_estimator, predictor
from pipeline.intervals import LeastSquaresInterval
from pipeline.manifest import Manifest, read_manifest, verify_file
from pipeline.moments import FloatArray
from pipeline.refusals import ModelRefused

ARTIFACT = "model.skops"


class PredictionOverflow(ArithmeticError):
    """The rows are finite, but the answer is not: the input is too large for the model."""


class Predictions(NamedTuple):
    """One entry per row: ŷ, its 95 % prediction interval, the share of the target's variance explained."""

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    confidence: FloatArray


@dataclass(frozen=True, slots=True)
class Regression:
    """A version of the model, ready to answer."""

    manifest: Manifest
    _predict: Callable[[FloatArray], FloatArray] = field(repr=False)
    _spread: Callable[[FloatArray], FloatArray] = field(repr=False)  # sd of a new observation, per row
    _quantile: float
    elementwise: bool  # whether a row's answer is the same to the last bit whatever rows it is asked with

    @property
    def version(self) -> int:
        """Number in the store."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """SHA-256 that names everything an answer depends on."""
        return self.manifest.digest

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of a row, in order."""
        return self.manifest.features

    @property
    def n_features(self) -> int:
        """Numbers in a row."""
        return len(self.manifest.features)

    @property
    def target(self) -> str:
        """Name of what is predicted."""
        return self.manifest.target

    @property
    def estimator_name(self) -> str:
        """Class of the estimator, such as LinearRegression."""
        return self.manifest.estimator_name

    @property
    def metrics(self) -> dict[str, float]:
        """What the hold-out said when the version was trained."""
        return self.manifest.metrics

    def predict(self, rows: FloatArray) -> Predictions:
        """Answer float64 rows [n, n_features]; raise PredictionOverflow where an answer is not finite."""
        with np.errstate(all="ignore"):
            values = self._predict(rows)
            spread = self._spread(rows)
            margin = spread * self._quantile
            lower, upper = values - margin, values + margin
            # The bounds hold ŷ between them: if both are finite, so is everything.
            if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
                raise PredictionOverflow("the input is so large that the prediction is not a finite number")
            ratio = spread / np.sqrt(self.manifest.interval.target_variance)
            confidence = np.maximum(0.0, 1.0 - ratio * ratio)
        return Predictions(values, lower, upper, confidence)


def load_regression(directory: Path) -> Regression:
    """Load the version in `directory`; raise ModelRefused, one readable line, if anything is wrong."""
    manifest = read_manifest(directory)
    path = verify_file(directory, manifest, ARTIFACT)
    interval = manifest.interval
    centre = interval.mean if isinstance(interval, LeastSquaresInterval) else [0.0] * len(manifest.features)
    if len(centre) != len(manifest.features):
        raise ModelRefused(
            f"{directory}: the interval is for {len(centre)} features, not {len(manifest.features)}"
        )
    estimator = load_estimator(path, len(manifest.features))
    terms = linear_terms(estimator, np.asarray(centre))
    predict = predictor(estimator) if terms is None else _linear(*terms)
    elementwise = terms is not None
    if isinstance(interval, LeastSquaresInterval):
        spread = _least_squares_spread(interval)
        return Regression(manifest, predict, spread, interval.quantile, elementwise)
    deviation = np.sqrt(interval.residual_variance)
    quantile = interval.half_width / deviation if deviation > 0 else 0.0
    return Regression(
        manifest, predict, lambda rows: np.full(len(rows), deviation), float(quantile), elementwise
    )


def _linear(coefficients: FloatArray, intercept: float) -> Callable[[FloatArray], FloatArray]:
    def predict(rows: FloatArray) -> FloatArray:
        values: FloatArray = rows[:, 0] * coefficients[0]
        for column in range(1, len(coefficients)):
            values += rows[:, column] * coefficients[column]
        values += intercept
        return values

    return predict


def _least_squares_spread(interval: LeastSquaresInterval) -> Callable[[FloatArray], FloatArray]:
    """Return s·sqrt(1 + 1/n + ‖(x - x̄) L‖²) with S⁻¹ = L Lᵀ, by hypot: no square overflows on the way."""
    mean = np.asarray(interval.mean)
    deviation = np.sqrt(interval.residual_variance)
    factor = np.linalg.cholesky(np.asarray(interval.inverse_scatter)) * deviation
    base = deviation * np.sqrt(1.0 + 1.0 / interval.rows)

    def spread(rows: FloatArray) -> FloatArray:
        centred = rows - mean
        total: FloatArray = np.full(len(rows), base)
        for column in range(len(mean)):
            leverage = centred[:, column] * factor[column, column]
            for row in range(column + 1, len(mean)):
                leverage += centred[:, row] * factor[row, column]
            total = np.hypot(total, leverage)
        return total

    return spread
