"""Trains a model, computes its metrics and prediction intervals, and publishes it as a version."""

from __future__ import annotations

import logging
import math
import warnings
from typing import Any

import numpy as np

from mlstack.registry.artifact import Estimator, save_estimator
from mlstack.registry.intervals import Interval
from mlstack.registry.manifest import Manifest
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator
from mlstack.training.intervals import conformal_interval, least_squares_interval
from mlstack.training.provenance import provenance
from mlstack.training.splitting import Dataset, split_in_place
from mlstack.training.statistics import BLOCK_ROWS, SufficientStatistics, measure, residuals, sum_of_squares

logger = logging.getLogger(__name__)


def train_and_publish(
    store: ModelStore, table: FloatArray, config: TrainingConfig, data_digest: str, table_name: str
) -> int:
    """Train on `table` [n, k+1], publish the model, log its metrics; return its version."""
    return publish(store, *train(table, config, data_digest, table_name))


def publish(store: ModelStore, estimator: Estimator, manifest: Manifest) -> int:
    """Publish a trained model, log its metrics; return its version."""
    version_number = store.publish(manifest, lambda directory: save_estimator(estimator, directory))
    slopes = {name: value for name, value in manifest.coefficients.items() if name != "intercept"}
    linear = {"slope": slopes, "intercept": manifest.coefficients["intercept"]} if slopes else {}
    logger.info(
        "trained and published",
        extra={
            "model_version": version_number,
            "estimator": manifest.estimator_name,
            "rows": manifest.provenance.rows,
            **linear,
            **manifest.metrics,
        },
    )
    return version_number


def train(
    table: FloatArray, config: TrainingConfig, data_digest: str, table_name: str
) -> tuple[Estimator, Manifest]:
    """Train on `table` [n, k+1], which is shuffled in place; raise TrainingRefused if that is impossible."""
    training, holdout = split_in_place(table, config.test_fraction)
    if len(training.y) < 2 or len(holdout.y) < 2:
        raise TrainingRefused(
            f"{len(table)} rows are too few to split: training needs 2 or more, and so does the hold-out"
        )
    if training.y.min() == training.y.max():
        raise TrainingRefused("the target is the same in every training row: there is nothing to learn")
    estimator, statistics = build_estimator(config), measure(training.table)
    fit(estimator, training, statistics)
    errors = residuals(estimator.predict, holdout.x, holdout.y)
    manifest = Manifest(
        features=config.features,
        target=config.target,
        estimator=config.estimator,
        parameters=config.parameters,
        metrics=metrics(errors, holdout.y, float(statistics.mean[-1])),
        coefficients=coefficients(estimator, config.features),
        interval=_interval(estimator, training, statistics, errors),
        provenance=provenance(config, data_digest, table_name, len(table)),
    )
    return estimator, manifest


def fit(estimator: Estimator, training: Dataset, statistics: SufficientStatistics) -> None:
    """Fit `estimator` in place; log scikit-learn's warnings, raise TrainingRefused for its errors."""
    name, rows = type(estimator).__name__, training
    if _is_least_squares(estimator) and statistics.rows > BLOCK_ROWS:
        rows = Dataset(statistics.points())  # the same fit, without scikit-learn's three copies of the table
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(rows.x, rows.y)
        except (TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise TrainingRefused(f"{name} cannot be trained on this table: {reason}") from error
    for text in {str(warning.message).partition("\n")[0] for warning in caught}:
        logger.warning("warning from scikit-learn", extra={"estimator": name, "warning": text})


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


def coefficients(estimator: Any, features: tuple[str, ...]) -> dict[str, float]:
    """Return the slopes by feature and the intercept of a linear model, nothing for any other."""
    if not hasattr(estimator, "coef_") or not hasattr(estimator, "intercept_"):
        return {}
    slopes, intercept = np.asarray(estimator.coef_), np.asarray(estimator.intercept_)
    if slopes.shape != (len(features),) or intercept.size != 1:
        return {}
    numbers = (*slopes.tolist(), *intercept.reshape(-1).tolist())
    return dict(zip((*features, "intercept"), numbers, strict=True))
