"""Decides whether a row's prediction depends on the other rows of the call.

A matrix product may round differently for another number of rows. Where predictions are bit-identical in any
batch, the rows of many requests are predicted by one call. That is assumed only of estimators that compute
row by row by construction, and then tested on probe rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlstack.inference.predictors import Predict, PredictionOverflow
from mlstack.runtime.arrays import FloatArray

# Trees and libsvm process one row after the other, scalers one element. Nearest neighbours and neural
# networks are not in the list, because they multiply matrices.
_BY_ROW = frozenset(
    {
        "DecisionTreeRegressor", "ExtraTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor",
        "GradientBoostingRegressor", "HistGradientBoostingRegressor", "SVR", "NuSVR",
        "DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier",
        "GradientBoostingClassifier", "HistGradientBoostingClassifier",
        "XGBRegressor", "XGBRFRegressor", "LGBMRegressor",
        "XGBClassifier", "XGBRFClassifier", "LGBMClassifier",
        "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "PolynomialFeatures",
        "OneHotEncoder", "OrdinalEncoder", "SimpleImputer",
    }
)  # fmt: skip
_ROWS = 64
_BATCHES = 12


def rows_are_independent(
    estimator: Any, predict: Predict, probes: FloatArray, *, by_row: bool = False
) -> bool:
    """Return whether predictions of `probes` [n, k] are bit-identical one by one and in random batches.

    `by_row` says that `predict` computes row by row, whatever the estimator does.
    """
    if not by_row and not all(type(step).__name__ in _BY_ROW for step in _steps(estimator)):
        return False
    probes = probes[:_ROWS]
    random = np.random.default_rng(0)
    try:
        alone = np.concatenate([predict(probes[row : row + 1]) for row in range(len(probes))])
        for _ in range(_BATCHES):
            chosen = random.integers(len(probes), size=random.integers(2, 4 * len(probes)))
            if (predict(np.ascontiguousarray(probes[chosen])) != alone[chosen]).any():
                return False
    except PredictionOverflow:
        return False
    return True


def _steps(estimator: Any) -> Iterator[Any]:
    """Yield the estimator, or the steps of a pipeline, the transformers of columns, those that vote."""
    if hasattr(estimator, "steps"):
        for _, step in estimator.steps:
            yield from _steps(step)
    elif type(estimator).__name__ == "ColumnTransformer":
        for _, transformer, _ in estimator.transformers_:
            yield from _steps(transformer)
    elif type(estimator).__name__ in {"VotingRegressor", "VotingClassifier"}:
        for each in estimator.estimators_:
            yield from _steps(each)
    elif getattr(estimator, "func", True) is not None and not isinstance(estimator, str):
        yield estimator  # what is passed on is a FunctionTransformer without a function
