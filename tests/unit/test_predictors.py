"""Faster prediction functions are bit-identical; rows count as independent only if they are."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from tests.harness.model_versions import line_table, publish

INDEPENDENT = [
    "sklearn.linear_model.LinearRegression",
    "sklearn.tree.DecisionTreeRegressor",
    "sklearn.ensemble.RandomForestRegressor",
    "sklearn.ensemble.ExtraTreesRegressor",
    "sklearn.ensemble.GradientBoostingRegressor",
    "sklearn.ensemble.HistGradientBoostingRegressor",
    "sklearn.preprocessing.StandardScaler, sklearn.svm.SVR",
]
DEPENDENT = [
    "sklearn.neural_network.MLPRegressor",
    "sklearn.neighbors.KNeighborsRegressor",
    "sklearn.kernel_ridge.KernelRidge",
]
TREES = INDEPENDENT[1:6]


def loaded(root: Path, estimator: str, features: int = 3) -> tuple[LoadedModel, Path]:
    """Return a published model and its directory."""
    store = ModelStore(root)
    names = tuple(f"x{number}" for number in range(1, features + 1))
    version = publish(store, line_table(features=features), TrainingConfig(names, estimator=estimator))
    return load_model(store.path(version)), store.path(version)


def rows_of_all_sizes(features: int = 3) -> FloatArray:
    """Return rows inside the training data, at its edge, and far away."""
    random = np.random.default_rng(1)
    scales = np.logspace(-3, 30, 500)[:, np.newaxis]
    return np.concatenate(
        [random.uniform(0, 20, size=(500, features)), random.normal(size=(500, features)) * scales]
    )


@pytest.mark.parametrize("estimator", TREES)
def test_an_answer_is_to_the_last_bit_that_of_the_estimator(tmp_path: Path, estimator: str) -> None:
    model, directory = loaded(tmp_path, estimator)
    rows = rows_of_all_sizes()

    values = model.predict(rows).values

    assert (values == joblib.load(directory / "model.pkl").predict(rows)).all()


@pytest.mark.parametrize("estimator", INDEPENDENT)
def test_rows_that_are_called_independent_are(tmp_path: Path, estimator: str) -> None:
    """Alone, in pairs, in hundreds, in any order."""
    model, _ = loaded(tmp_path, estimator)
    rows = rows_of_all_sizes()[::5]
    random = np.random.default_rng(2)

    alone = np.concatenate([model.predict(rows[n : n + 1]).values for n in range(len(rows))])

    assert model.row_independent
    for size in (2, 3, 17, 64, 200):
        chosen = random.permutation(len(rows))[:size]
        assert (model.predict(rows[chosen]).values == alone[chosen]).all()


@pytest.mark.parametrize("estimator", DEPENDENT)
def test_estimators_that_multiply_matrices_are_asked_question_by_question(
    tmp_path: Path, estimator: str
) -> None:
    model, _ = loaded(tmp_path, estimator)

    assert not model.row_independent


@pytest.mark.parametrize("estimator", ["RandomForestRegressor", "ExtraTreesRegressor"])
def test_a_number_beyond_float32_is_an_overflow_for_trees(tmp_path: Path, estimator: str) -> None:
    """Not an unexpected error."""
    model, _ = loaded(tmp_path, f"sklearn.ensemble.{estimator}")

    with pytest.raises(PredictionOverflow, match="float32"):
        model.predict(np.array([[1.0, 2.0, 1e39]]))
