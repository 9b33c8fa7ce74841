"""Trains least squares on a table that was streamed: from its statistics alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.registry.columns import Column
from mlstack.registry.manifest import Manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator
from mlstack.training.input import TrainingInput
from mlstack.training.intervals import conformal_interval, least_squares_interval
from mlstack.training.regressor import coefficients, fit_regressor
from mlstack.training.splitting import Dataset
from mlstack.training.statistics import SufficientStatistics, residuals
from mlstack.training.streaming import StreamedTable
from mlstack.training.task import Task
from mlstack.training.train import train


def train_on(source: TrainingInput, config: TrainingConfig, table_name: str) -> tuple[Estimator, Manifest]:
    """Train on a table, whole or streamed; raise TrainingRefused if that is impossible."""
    if isinstance(source.rows, StreamedTable):
        return train_streamed(source.rows, config, source.digest, table_name, source.columns)
    return train(source.rows, config, source.digest, table_name, source.columns)


def train_streamed(
    rows: StreamedTable,
    config: TrainingConfig,
    data_digest: str,
    table_name: str,
    columns: tuple[Column, ...] = (),
) -> tuple[Estimator, Manifest]:
    """Train least squares; mse, rmse and r2 are of all hold-out rows, mae is of a sample of them."""
    statistics = rows.training.statistics
    if rows.holdout.statistics.rows < 2 or statistics.rows < 2:
        raise TrainingRefused("the table's rows are too much alike to be split by a hash of each")
    if rows.lowest == rows.highest:
        raise TrainingRefused("the target is the same in every training row: there is nothing to learn")
    estimator = _fitted(config, statistics)
    found = coefficients(estimator, config.features)
    slopes, intercept = np.array([found[name] for name in config.features]), found["intercept"]
    sample = Dataset(rows.holdout.sample.rows())
    errors = residuals(estimator.predict, sample.x, sample.y)
    interval = least_squares_interval(statistics, statistics.sum_of_squares(slopes, intercept))
    names = (*config.features, config.target)
    columns = columns or tuple(Column(name=name, kind="number") for name in names)
    manifest = Task(config, columns, data_digest, table_name).manifest(
        rows.rows,
        "hashed",
        _metrics(rows, slopes, intercept, float(np.mean(np.abs(errors)))),
        interval or conformal_interval(errors, statistics.target_variance),
        coefficients=found,
    )
    return estimator, manifest


def _fitted(config: TrainingConfig, statistics: SufficientStatistics) -> Estimator:
    """Return the fit of all rows, which is that of 2(p + 1) points; about the mean no digits are lost."""
    estimator: Any = build_estimator(config)
    mean = statistics.mean
    fit_regressor(estimator, Dataset(statistics.centred().points()), statistics)
    estimator.intercept_ = float(mean[-1] - mean[:-1] @ estimator.coef_)
    return estimator  # type: ignore[no-any-return]


def _metrics(rows: StreamedTable, slopes: FloatArray, intercept: float, mae: float) -> dict[str, float]:
    """Return what mlstack.training.regressor.metrics does, from statistics of the hold-out."""
    holdout, variance = rows.holdout.statistics, rows.holdout.statistics.target_variance
    mse = holdout.sum_of_squares(slopes, intercept) / holdout.rows
    offset = float(holdout.mean[-1] - rows.training.statistics.mean[-1])
    found = {
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mae": mae,
        "r2": 1.0 - mse / variance if variance > 0 else 0.0,
        "baseline_rmse": math.sqrt(variance + offset**2),
    }
    if not all(math.isfinite(value) for value in found.values()):
        raise TrainingRefused("the model's errors on the hold-out are not finite numbers")
    return found
