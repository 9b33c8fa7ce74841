"""Trains a regressor, with prediction intervals from the theory of least squares or from the hold-out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.registry.intervals import Interval
from mlstack.registry.manifest import Manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.fitting import fit
from mlstack.training.intervals import conformal_interval, least_squares_interval
from mlstack.training.preprocessing import with_preprocessing
from mlstack.training.splitting import Dataset, split_in_place
from mlstack.training.statistics import BLOCK_ROWS, SufficientStatistics, measure, residuals, sum_of_squares
from mlstack.training.task import Task


def train_regressor(table: FloatArray, task: Task, regressor: Estimator) -> tuple[Estimator, Manifest]:
    """Train on `table` [n, k+1], which is shuffled in place; raise TrainingRefused if that is impossible."""
    training, holdout = split_in_place(table, task.config.test_fraction)
    _check_split(len(table), training, holdout)
    estimator = with_preprocessing(regressor, task.features)
    statistics = measure(training.table if task.plain else training.table[:, -1:])
    fit_regressor(estimator, training, statistics)
    errors = residuals(estimator.predict, holdout.x, holdout.y)
    manifest = task.manifest(
        len(table),
        "shuffled",
        metrics(errors, holdout.y, float(statistics.mean[-1])),
        _interval(estimator, training, statistics, errors),
        coefficients=coefficients(estimator, task.config.features),
    )
    return estimator, manifest


def fit_regressor(estimator: Estimator, training: Dataset, statistics: SufficientStatistics) -> None:
    """Fit `estimator` in place; raise TrainingRefused for scikit-learn's errors."""
    rows = training
    if _is_least_squares(estimator) and statistics.rows > BLOCK_ROWS:
        rows = Dataset(statistics.points())  # the same fit, without scikit-learn's three copies of the table
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    fit(estimator, type(last).__name__, rows.x, rows.y)


def metrics(errors: FloatArray, y: FloatArray, training_mean: float) -> dict[str, float]:
    """Return mse, rmse, mae, r2 of hold-out errors [m], and the RMSE of predicting the training mean."""
    mse, variance = float(np.mean(errors**2)), float(y.var())
    found = {
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mae": float(np.mean(np.abs(errors))),
        "r2": 1.0 - mse / variance if variance > 0 else 0.0,
        "baseline_rmse": float(np.sqrt(np.mean((y - training_mean) ** 2))),
    }
    if not all(math.isfinite(value) for value in found.values()):
        raise TrainingRefused("the model's errors on the hold-out are not finite numbers")
    return found


def coefficients(estimator: Estimator, features: tuple[str, ...]) -> dict[str, float]:
    """Return the slopes by feature and the intercept of a linear model, nothing for any other."""
    if not hasattr(estimator, "coef_") or not hasattr(estimator, "intercept_"):
        return {}
    slopes, intercept = np.asarray(estimator.coef_), np.asarray(estimator.intercept_)
    if slopes.shape != (len(features),) or intercept.size != 1:
        return {}
    numbers = (*slopes.tolist(), *intercept.reshape(-1).tolist())
    return dict(zip((*features, "intercept"), numbers, strict=True))


def _check_split(rows: int, training: Dataset, holdout: Dataset) -> None:
    if len(training.y) < 2 or len(holdout.y) < 2:
        raise TrainingRefused(
            f"{rows} rows are too few to split: training needs 2 or more, and so does the hold-out"
        )
    if training.y.min() == training.y.max():
        raise TrainingRefused("the target is the same in every training row: there is nothing to learn")


def _interval(
    estimator: Estimator, training: Dataset, statistics: SufficientStatistics, holdout_errors: FloatArray
) -> Interval:
    """Return the exact least-squares interval where the theory holds, else the conformal one."""
    found = None
    if _is_least_squares(estimator):
        squares = sum_of_squares(estimator.predict, training.x, training.y)
        found = least_squares_interval(statistics, squares)
    return found or conformal_interval(holdout_errors, statistics.target_variance)


def _is_least_squares(estimator: Any) -> bool:
    named = type(estimator).__name__ == "LinearRegression"
    return named and estimator.fit_intercept and not estimator.positive
