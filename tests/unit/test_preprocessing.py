"""Preprocessing stands in front of an estimator only where a column needs it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlstack.registry.columns import Column
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator
from mlstack.training.preprocessing import with_preprocessing
from mlstack.training.train import train
from tests.harness.mixed_tables import FEATURES, NAMES, PRICE, mixed_rows, priced

_RIDGE = "sklearn.linear_model.Ridge"
_FOREST = "sklearn.ensemble.RandomForestRegressor"


def _prepared(estimator: str, *columns: Column) -> Any:
    return with_preprocessing(build_estimator(TrainingConfig(estimator=estimator)), columns)


def _parts(pipeline: Any) -> list[str]:
    return [name for name, _, _ in pipeline.named_steps["columns"].transformers]


@pytest.mark.parametrize("kind", ["number", "boolean"])
def test_numbers_and_booleans_without_gaps_need_none(kind: Any) -> None:
    assert not hasattr(_prepared(_RIDGE, Column(name="a", kind=kind)), "steps")


def test_an_estimator_that_takes_nan_gets_it() -> None:
    number = Column(name="a", kind="number", nullable=True)

    assert not hasattr(_prepared(_FOREST, number), "steps")
    assert _parts(_prepared(_RIDGE, number)) == ["missing"]
    scaled = f"sklearn.preprocessing.StandardScaler,{_RIDGE}"
    assert _parts(_prepared(scaled, number)) == ["missing"]


def test_a_category_is_one_hot_null_its_own_and_an_unseen_one_none() -> None:
    city = Column(name="city", kind="category", categories=("a", "b"), nullable=True)
    encoder = _prepared(_RIDGE, city).named_steps["columns"]

    found = encoder.fit(np.array([[0.0], [1.0], [np.nan]])).transform(np.array([[0], [1], [np.nan], [-1.0]]))

    assert found.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_a_missing_number_is_the_median_with_an_indicator() -> None:
    encoder = _prepared(_RIDGE, Column(name="a", kind="number", nullable=True)).named_steps["columns"]

    found = encoder.fit(np.array([[1.0], [2.0], [9.0], [np.nan]])).transform(np.array([[5.0], [np.nan]]))

    assert found.tolist() == [[5, 0], [2, 1]]


def test_a_category_that_only_the_hold_out_has_keeps_its_place() -> None:
    columns = (Column(name="city", kind="category", categories=("a", "b", "c")), PRICE)
    table = np.column_stack([np.zeros(50), np.arange(50.0)])
    table[7, 0] = 2.0

    estimator, _ = train(table, TrainingConfig(("city",), "price", _RIDGE), "digest", "t", columns)

    assert estimator.predict(np.array([[0.0], [1.0], [2.0], [-1.0]])).shape == (4,)


@pytest.mark.parametrize("estimator", [_RIDGE, _FOREST, f"sklearn.preprocessing.StandardScaler,{_RIDGE}"])
def test_mixed_columns_are_learned(estimator: str) -> None:
    config = TrainingConfig(NAMES, "price", estimator)

    _, manifest = train(priced(), config, "digest", "houses", (*FEATURES, PRICE))

    assert manifest.metrics["r2"] > 0.97
    assert manifest.columns == FEATURES


def test_a_column_of_plain_numbers_is_described_by_what_it_holds() -> None:
    table = np.array([[1.0, 2.0], [4.0, 3.0], [2.0, 5.0], [3.0, 4.0], [0.5, 1.0], [6.0, 7.0]])

    _, manifest = train(np.repeat(table, 4, axis=0), TrainingConfig(), "digest", "t")

    assert manifest.columns == (Column(name="x", kind="number", low=0.5, high=6.0),)


def test_rows_of_mixed_columns_have_gaps() -> None:
    assert np.isnan(mixed_rows()).any(axis=0).tolist() == [False, True, True, False, True]
