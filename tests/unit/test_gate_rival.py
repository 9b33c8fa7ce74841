"""The quality gate: the current version answers the same rows, with its own categories and classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error

from mlstack.evaluation.comparison import Comparison, compare_on_holdout
from mlstack.inference.encoding import encode_rows
from mlstack.inference.loading import load_model
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from tests.harness.mixed_tables import FEATURES, PRICE, SPECIES, classified, priced, publish_table
from tests.harness.model_versions import promote

_FOREST = "sklearn.ensemble.RandomForestClassifier"
_TREE = "sklearn.tree.DecisionTreeClassifier"
_TREES = "sklearn.ensemble.RandomForestRegressor"
_NEW_CITIES = ("Hanoi", "Huế", "Lima", "Oslo")
_WITH_HUE = tuple(
    msgspec.structs.replace(each, categories=_NEW_CITIES) if each.name == "city" else each
    for each in FEATURES
)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _compare(store: ModelStore, version: int, table: FloatArray) -> Comparison:
    digest = store.verified(version).provenance.data
    return compare_on_holdout(store, version, table.copy(), digest, 0.05)


def _with_hue(table: FloatArray) -> FloatArray:
    """Return the rows with the codes of _NEW_CITIES, every tenth one in Huế."""
    found = table.copy()
    found[:, 1] = np.where(table[:, 1] >= 1, table[:, 1] + 1, table[:, 1])
    found[::10, 1] = 1
    return found


def _as_current(rows: FloatArray) -> FloatArray:
    """Return rows of _WITH_HUE as a server of the former version encodes them when a client sends them."""
    cells: list[list[Any]] = [
        [None if np.isnan(value) else value for value in row] for row in rows[:, :5].tolist()
    ]
    for row in cells:
        row[1] = None if row[1] is None else _NEW_CITIES[int(row[1])]
        row[3], row[4] = bool(row[3]), None if row[4] is None else bool(row[4])
    return encode_rows(FEATURES, cells)


def test_a_new_category_does_not_switch_the_comparison_off(store: ModelStore) -> None:
    """Both answer all rows; those in the new city have no city for the current version."""
    promote(store, publish_table(store, classified(), SPECIES, _FOREST, min_samples_leaf=5))
    table = _with_hue(classified())
    stump = publish_table(store, table, SPECIES, _TREE, _WITH_HUE, max_depth=1)

    comparison = _compare(store, stump, table)

    evaluation, holdout = comparison.evaluation, comparison.holdout
    found = load_model(store.path(1)).classify(_as_current(holdout.x))
    assert evaluation.verdict == "rejected"
    assert "of the current version by more than 5%" in evaluation.reason
    assert (evaluation.current_version, evaluation.current_rows) == (1, 80)
    assert evaluation.current_unseen_rows == np.sum(holdout.x[:, 1] == 1) > 0
    assert evaluation.current_log_loss == pytest.approx(log_loss(holdout.y, found.probabilities))
    assert evaluation.current_metrics["accuracy"] == accuracy_score(holdout.y, found.likeliest)
    assert evaluation.shared_metrics == {}


def test_a_regressor_answers_new_categories_in_another_order_of_columns(store: ModelStore) -> None:
    promote(store, publish_table(store, priced(), PRICE, _TREES, n_estimators=20))
    order = [4, 1, 0, 3, 2]
    table = _with_hue(priced())[:, [*order, 5]]
    columns = tuple(_WITH_HUE[place] for place in order)
    worse = publish_table(store, table, PRICE, "sklearn.tree.DecisionTreeRegressor", columns, max_depth=1)

    comparison = _compare(store, worse, table)

    evaluation, rows = comparison.evaluation, comparison.holdout.x[:, np.argsort(order)]
    found, actual = load_model(store.path(1)).predict(_as_current(rows)), comparison.holdout.y
    assert evaluation.verdict == "rejected"
    assert evaluation.current_rmse == pytest.approx(root_mean_squared_error(actual, found.values))
    assert evaluation.current_metrics["r2"] == pytest.approx(r2_score(actual, found.values))
    covered = np.mean((found.lower <= actual) & (actual <= found.upper))
    assert evaluation.current_metrics["coverage"] == covered


def test_rows_with_a_null_that_the_current_version_refuses_are_not_compared(store: ModelStore) -> None:
    full = tuple(msgspec.structs.replace(each, nullable=each.name != "rooms") for each in FEATURES)
    none, gaps = classified(), classified()
    none[:, 2] = np.nan_to_num(none[:, 2])
    promote(store, publish_table(store, none, SPECIES, _FOREST, full, min_samples_leaf=5))
    stump = publish_table(store, gaps, SPECIES, _TREE, max_depth=1)

    comparison = _compare(store, stump, gaps)

    evaluation, holdout = comparison.evaluation, comparison.holdout
    taken = ~np.isnan(holdout.x[:, 2])
    both = [load_model(store.path(n)).classify(holdout.x[taken]).probabilities for n in (1, 2)]
    assert 0 < evaluation.current_rows == taken.sum() < evaluation.rows
    assert evaluation.current_log_loss == pytest.approx(log_loss(holdout.y[taken], both[0]))
    assert evaluation.shared_metrics["log_loss"] == pytest.approx(log_loss(holdout.y[taken], both[1]))
    scope = f"on {taken.sum()} of 80 rows of the hold-out: those without NULL in rooms"
    assert scope in evaluation.reason
    promote(store, 2)
    assert _compare(store, 1, none).evaluation.current_rows == 80


def test_with_a_new_class_the_shared_ones_are_compared(store: ModelStore) -> None:
    """By the probabilities given that the class is one of them."""
    table = classified()
    two = Column(name="species", kind="category", categories=("ant", "bee"))
    three = Column(name="species", kind="category", categories=("aphid", "ant", "bee"))
    three = msgspec.structs.replace(three, categories=tuple(sorted(three.categories)))
    known = table[table[:, -1] < 2]
    promote(store, publish_table(store, known, two, _FOREST, min_samples_leaf=5))
    table[:, -1] = np.array([0.0, 2.0, 1.0])[table[:, -1].astype(int)]
    stump = publish_table(store, table, three, _TREE, max_depth=1)

    comparison = _compare(store, stump, table)

    evaluation, holdout = comparison.evaluation, comparison.holdout
    rows = holdout.y != 1
    x, actual = np.ascontiguousarray(holdout.x[rows]), holdout.y[rows] == 2
    current = load_model(store.path(1)).classify(x).probabilities
    mine = load_model(store.path(2)).classify(x).probabilities[:, [0, 2]]
    mine /= mine.sum(axis=1, keepdims=True)
    assert comparison.candidate.classes == ("ant", "aphid", "bee")
    assert (evaluation.current_version, evaluation.current_rows) == (1, rows.sum())
    assert "of the classes that both know" in evaluation.current_scope
    assert evaluation.current_log_loss == pytest.approx(log_loss(actual, current))
    assert evaluation.shared_metrics["log_loss"] == pytest.approx(log_loss(actual, mine))
