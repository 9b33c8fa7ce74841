"""Trees without scikit-learn's overhead at each call: used only if bit-identical on probe rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.inference.booster_calls import BOOSTERS
from mlstack.inference.column_parts import column_parts, quick_transform
from mlstack.inference.linear_weights import steps_of
from mlstack.inference.predictors import Predict, PredictionOverflow, own_predict, own_probabilities
from mlstack.runtime.arrays import FloatArray

_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


def quickest_predict(estimator: Estimator, probes: FloatArray, classes: int = 0) -> Predict:
    """Return the estimator's own function, or a faster one with bit-identical results.

    That is `predict`, or with classes `predict_proba`.
    """
    own = own_probabilities(estimator) if classes else own_predict(estimator)
    try:
        quick = _quick(estimator)
        return quick if quick is not None and (quick(probes) == own(probes)).all() else own
    except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError):
        return own  # a scikit-learn release with other private attributes


def _quick(estimator: Any) -> Predict | None:
    """Return the faster function for trees, alone or behind a ColumnTransformer."""
    first, *others = steps_of(estimator)
    if not others:
        make = _MAKERS.get(type(first).__name__)
        return make(first) if make else None
    make = _MAKERS.get(type(others[0]).__name__) if len(others) == 1 else None
    parts = column_parts(first) if type(first).__name__ == "ColumnTransformer" else None
    if make is None or parts is None:
        return None
    transform, predict = quick_transform(parts), make(others[0])
    return lambda rows: predict(transform(rows))


def _narrow(rows: FloatArray) -> Any:
    if (np.abs(rows) > _LARGEST_FLOAT32).any():
        raise PredictionOverflow("trees compare float32 numbers, and the input holds a larger one")
    return np.ascontiguousarray(rows, dtype=np.float32)


def _forest(estimator: Any) -> Predict:
    """Average the trees as the forest's `predict` does, without one joblib task per tree."""
    trees = [tree.tree_ for tree in estimator.estimators_]

    def predict(rows: FloatArray) -> FloatArray:
        narrow, total = _narrow(rows), np.zeros(len(rows))
        for tree in trees:
            total += tree.predict(narrow)[:, 0]
        total /= len(trees)
        return total

    return predict


def _forest_classes(estimator: Any) -> Predict:
    """Average the trees' probabilities as the forest's `predict_proba` does."""
    trees, classes = [tree.tree_ for tree in estimator.estimators_], int(estimator.n_classes_)

    def probabilities(rows: FloatArray) -> FloatArray:
        narrow, total = _narrow(rows), np.zeros((len(rows), classes))
        for tree in trees:
            total += tree.predict(narrow)[:, :classes]
        total /= len(trees)
        return total

    return probabilities


def _tree_classes(estimator: Any) -> Predict:
    tree, classes = estimator.tree_, int(estimator.n_classes_)
    return lambda rows: tree.predict(_narrow(rows))[:, :classes]


def _boosted(estimator: Any) -> Predict:
    """Sum the trees as HistGradientBoostingRegressor does, without its preparation at each call."""
    categories, positions = estimator._bin_mapper.make_known_categories_bitsets()
    trees = [tree.predict for iteration in estimator._predictors for tree in iteration]
    baseline = float(np.reshape(estimator._baseline_prediction, ()))

    def predict(rows: FloatArray) -> FloatArray:
        total = np.full(len(rows), baseline)
        for tree in trees:
            total += tree(rows, categories, positions, 1)
        return total

    return predict


def _boosted_classes(estimator: Any) -> Predict:
    """Sum the trees of each class as HistGradientBoostingClassifier does."""
    categories, positions = estimator._bin_mapper.make_known_categories_bitsets()
    iterations = [[tree.predict for tree in iteration] for iteration in estimator._predictors]
    baseline, link = estimator._baseline_prediction, estimator._loss.predict_proba

    def probabilities(rows: FloatArray) -> FloatArray:
        total = np.zeros((len(rows), baseline.shape[1]), dtype=baseline.dtype, order="F")
        total += baseline
        for trees in iterations:
            for number, tree in enumerate(trees):
                total[:, number] += tree(rows, categories, positions, 1)
        return np.asarray(link(total), dtype=np.float64)

    return probabilities


_MAKERS: dict[str, Callable[[Any], Predict]] = {
    "RandomForestRegressor": _forest,
    "ExtraTreesRegressor": _forest,
    "RandomForestClassifier": _forest_classes,
    "ExtraTreesClassifier": _forest_classes,
    "DecisionTreeClassifier": _tree_classes,
    "HistGradientBoostingRegressor": _boosted,
    "HistGradientBoostingClassifier": _boosted_classes,
    **BOOSTERS,
}
