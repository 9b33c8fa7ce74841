"""An answer is the same to the last bit whoever else asks at that moment, so it may be kept for anyone."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from api.prediction.cache import cache_key
from api.prediction.computation import Computed, compute
from mlstack.registry.artifact import save_estimator
from mlstack.registry.loaded_model import LoadedModel, load_model
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
    "sklearn.tree.DecisionTreeRegressor",
    "sklearn.preprocessing.PolynomialFeatures, sklearn.linear_model.Ridge",
]


@dataclass
class Asked:
    """One request's rows."""

    model: LoadedModel
    rows: FloatArray
    key: bytes = field(init=False)

    def __post_init__(self) -> None:
        """The key as the predictor makes it."""
        self.key = cache_key(self.model.digest, self.rows)


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


def answers(questions: list[Asked]) -> Computed:
    """Return what the predictor computes for one batch."""
    return asyncio.run(compute(questions))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_batch_answers_each_question_as_if_it_were_alone(estimator: str) -> None:
    """Byte for byte."""

    @settings(deadline=None, max_examples=25)
    @given(batches)
    def check(batch: list[FloatArray]) -> None:
        questions = [Asked(model(estimator), rows) for rows in batch]

        together = answers(questions).answers

        alone = {question.key: answers([question]).answers[question.key] for question in questions}
        assert together == alone

    check()


def test_two_models_in_one_batch_answer_their_own_questions() -> None:
    """The same rows, asked of both."""
    rows = np.array([[1.0, 2.0]])
    questions = [Asked(model(name), rows) for name in ESTIMATORS]

    together = answers(questions).answers

    assert together == {question.key: answers([question]).answers[question.key] for question in questions}
    assert len(set(together.values())) == len(ESTIMATORS)


def test_a_question_without_a_finite_answer_does_not_spoil_the_others() -> None:
    """It alone is refused."""
    good = [Asked(model(ESTIMATORS[0]), np.array([[float(n), 1.0]])) for n in range(3)]
    bad = Asked(model(ESTIMATORS[0]), np.array([[1.7e308, -1.7e308]]))

    computed = answers([good[0], bad, *good[1:]])

    assert computed.overflows == {bad.key}
    assert computed.answers == {question.key: answers([question]).answers[question.key] for question in good}


def test_a_question_that_many_ask_at_once_is_computed_once() -> None:
    """A cold cache does not stampede."""
    calls: list[int] = []

    def counted(rows: FloatArray) -> FloatArray:
        calls.append(len(rows))
        return np.zeros(len(rows))

    for each in (model(ESTIMATORS[0]), model(ESTIMATORS[2])):
        calls.clear()
        observed = dataclasses.replace(each, _predict=counted)
        answers([Asked(observed, np.array([[1.0, 2.0]])) for _ in range(100)])
        assert calls == [1]
