"""For any linear model and any finite input: the fast path is the estimator's, every answer a number."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.manifest import write_manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train

ESTIMATORS = ("LinearRegression", "Ridge", "Lasso", "HuberRegressor")
finite = st.floats(allow_nan=False, allow_infinity=False)
moderate = st.floats(-1e6, 1e6)


@cache
def _model(seed: int, features: int, name: str) -> tuple[LoadedModel, object]:
    """Return a model of random rows, and scikit-learn's own estimator."""
    random = np.random.default_rng(seed)
    x = random.normal(random.normal(0, 100, features), random.uniform(0.1, 50, features), size=(60, features))
    y = x @ random.normal(0, 10, features) + random.normal(0, 1, 60)
    config = TrainingConfig(tuple(f"x{i}" for i in range(features)), estimator=f"sklearn.linear_model.{name}")
    estimator, manifest = train(np.column_stack([x, y]), config, "digest", "t")
    with tempfile.TemporaryDirectory() as directory:
        skops.io.dump(estimator, Path(directory) / "model.skops")
        write_manifest(Path(directory), manifest, 1)
        return load_model(Path(directory)), estimator


models = st.builds(_model, st.integers(0, 3), st.integers(1, 8), st.sampled_from(ESTIMATORS))


def _rows(data: st.DataObject, model: LoadedModel, values: st.SearchStrategy[float]) -> FloatArray:
    rows: FloatArray = data.draw(
        arrays(np.float64, st.tuples(st.integers(1, 12), st.just(model.n_features)), elements=values)
    )
    return rows


@settings(deadline=None, max_examples=150)
@given(models, st.data())
def test_the_specialised_path_is_the_estimators_prediction(
    found: tuple[LoadedModel, object], data: st.DataObject
) -> None:
    model, estimator = found
    rows = _rows(data, model, moderate)

    expected = estimator.predict(rows)  # type: ignore[attr-defined]

    size = np.abs(rows) @ np.abs(estimator.coef_) + abs(float(estimator.intercept_))  # type: ignore[attr-defined]
    assert (np.abs(model.predict(rows).values - expected) <= 1e-13 * (1 + size)).all()


@settings(deadline=None, max_examples=300)
@given(models, st.data())
def test_finite_input_gives_a_finite_answer_or_an_overflow(
    found: tuple[LoadedModel, object], data: st.DataObject
) -> None:
    model, _ = found
    rows = _rows(data, model, finite)

    try:
        answer = model.predict(rows)
    except PredictionOverflow:
        assert np.abs(rows).max() > 1e100
        return

    assert all(np.isfinite(column).all() for column in answer)
    assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()
    assert (answer.lower <= answer.upper).all()


@settings(deadline=None, max_examples=150)
@given(models, st.data())
def test_a_row_gets_the_same_answer_to_the_last_bit_in_any_batch(
    found: tuple[LoadedModel, object], data: st.DataObject
) -> None:
    model, _ = found
    rows = _rows(data, model, moderate)

    together = model.predict(rows)

    for index in range(len(rows)):
        alone = model.predict(np.ascontiguousarray(rows[index : index + 1]))
        assert [float(column[0]) for column in alone] == [float(column[index]) for column in together]
