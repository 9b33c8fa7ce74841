"""Does a row's answer depend on the rows it is asked with? A matrix product may round differently for others.

Where it does not, to the last bit, many requests can be answered by one call, and still get what they would
have got alone. Estimators are believed only if they compute row by row by construction, and then tested.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlstack.registry.predictors import Predict, PredictionOverflow
from mlstack.runtime.arrays import FloatArray

# Trees walk each row by itself, libsvm sums over its support vectors row by row, the scalers work element by
# element. Nearest neighbours and neural networks are absent: they multiply matrices.
_BY_ROW = frozenset(
    {
        "DecisionTreeRegressor", "ExtraTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor",
        "GradientBoostingRegressor", "HistGradientBoostingRegressor", "SVR", "NuSVR",
        "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "PolynomialFeatures",
    }
)  # fmt: skip
_ROWS = 64
_BATCHES = 12


def rows_are_independent(estimator: Any, predict: Predict, probes: FloatArray) -> bool:
    """Return whether each of `probes` [n, k] gets the same bits alone and in random batches of them."""
    if not all(type(step).__name__ in _BY_ROW for step in _steps(estimator)):
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


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
