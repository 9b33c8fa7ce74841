"""Boosters without what their classes for scikit-learn do at each call (trees.py compares the results)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlstack.inference.predictors import Predict
from mlstack.runtime.arrays import FloatArray


def _xgboost(estimator: Any) -> Predict:
    call = _inplace(estimator)
    return lambda rows: np.asarray(call(rows), dtype=np.float64)


def _xgboost_classes(estimator: Any) -> Predict:
    call = _inplace(estimator)
    return lambda rows: _of_each_class(call(rows))


def _inplace(estimator: Any) -> Callable[[FloatArray], Any]:
    booster, missing = estimator.get_booster(), estimator.missing
    iterations = estimator._get_iteration_range(None)  # early stopping may have chosen fewer
    return lambda rows: booster.inplace_predict(
        rows, iteration_range=iterations, missing=missing, validate_features=False
    )


def _lightgbm(estimator: Any) -> Predict:
    booster = estimator.booster_
    return lambda rows: np.asarray(booster.predict(rows, num_threads=1))


def _lightgbm_classes(estimator: Any) -> Predict:
    booster = estimator.booster_
    return lambda rows: _of_each_class(booster.predict(rows, num_threads=1))


def _of_each_class(found: Any) -> FloatArray:
    """Return probabilities [n, c]; of two classes a booster gives that of the second one only, [n]."""
    both = found if found.ndim == 2 else np.column_stack([1 - found, found])  # in its own precision
    return np.asarray(both, dtype=np.float64)


BOOSTERS: dict[str, Callable[[Any], Predict]] = {
    "XGBRegressor": _xgboost,
    "XGBRFRegressor": _xgboost,
    "XGBClassifier": _xgboost_classes,
    "XGBRFClassifier": _xgboost_classes,
    "LGBMRegressor": _lightgbm,
    "LGBMClassifier": _lightgbm_classes,
}
