"""An answer is bit-identical in every batch, so it may be cached for all clients."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from api.prediction.computation import compute
from mlstack.inference.artifact import save_estimator
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.manifest import write_manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train

FEATURES = 2
# Those with a matrix product in them round differently for another number of rows.
ESTIMATORS = [
    "sklearn.linear_model.LinearRegression",
    "sklearn.linear_model.Ridge",
    "sklearn.kernel_ridge.KernelRidge",
    "sklearn.neural_network.MLPRegressor",
    "sklearn.preprocessing.PolynomialFeatures, sklearn.linear_model.Ridge",
    "sklearn.neighbors.KNeighborsRegressor",
    "sklearn.tree.DecisionTreeRegressor",
    "sklearn.ensemble.RandomForestRegressor",
    "sklearn.ensemble.HistGradientBoostingRegressor",
    "sklearn.preprocessing.StandardScaler, sklearn.svm.SVR",
]
INDEPENDENT = {*ESTIMATORS[:2], *ESTIMATORS[6:]}


@dataclass
class Asked:
    """One request's rows."""

    rows: FloatArray

    @property
    def content(self) -> bytes:
        """The rows' values."""
        return self.rows.tobytes()

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.rows)


@cache
def model(estimator: str) -> LoadedModel:
    """Return a trained model, as a server loads it."""
    random = np.random.default_rng(667)
    x = random.uniform(0, 20, size=(100, FEATURES))
    table = np.column_stack([x, x @ np.array([2.0, -3.0]) + np.sin(x[:, 0]) + 1])
    trained, manifest = train(table, TrainingConfig(("x1", "x2"), estimator=estimator), "digest", "t")
    with tempfile.TemporaryDirectory() as directory:
        save_estimator(trained, Path(directory))
        write_manifest(Path(directory), manifest, 1)
        return load_model(Path(directory))


batches = st.lists(
    arrays(
        np.float64, st.tuples(st.integers(1, 5), st.just(FEATURES)), elements=st.floats(-1e3, 1e3).map(abs)
    ),
    min_size=2,
    max_size=12,
)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_batch_answers_each_question_as_if_it_were_alone(estimator: str) -> None:
    """Byte for byte."""

    @settings(deadline=None, max_examples=25)
    @given(batches)
    def check(batch: list[FloatArray]) -> None:
        questions = [Asked(rows) for rows in batch]

        together = compute(model(estimator), questions)

        assert together == [compute(model(estimator), [question])[0] for question in questions]

    check()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_models_whose_rows_are_independent_are_asked_once_a_batch(estimator: str) -> None:
    calls: list[int] = []

    def counted(rows: FloatArray) -> FloatArray:
        calls.append(len(rows))
        return np.zeros(len(rows))

    observed = dataclasses.replace(model(estimator), _predict=counted)
    compute(observed, [Asked(np.array([[float(n), 1.0]])) for n in range(10)])

    assert calls == ([10] if estimator in INDEPENDENT else [1] * 10)


def test_a_question_without_a_finite_answer_does_not_spoil_the_others() -> None:
    """It alone is refused."""
    good = [Asked(np.array([[float(n), 1.0]])) for n in range(3)]
    bad = Asked(np.array([[1.7e308, -1.7e308]]))

    found = compute(model(ESTIMATORS[0]), [good[0], bad, *good[1:]])

    assert found[1] is None
    assert [found[0], *found[2:]] == compute(model(ESTIMATORS[0]), good)
