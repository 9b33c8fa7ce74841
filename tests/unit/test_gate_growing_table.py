"""The quality gate when a table has grown: the current version was trained on most of the new hold-out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlstack.evaluation.comparison import Comparison, compare_on_holdout
from mlstack.evaluation.report import write_report
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from tests.harness.mixed_tables import FEATURES, PRICE, SPECIES, classified, priced, publish_table
from tests.harness.model_versions import promote

_TOLERANCE = 0.05
_FOREST = {
    "rmse": "sklearn.ensemble.RandomForestRegressor",
    "log_loss": "sklearn.ensemble.RandomForestClassifier",
}
_TREE = {"rmse": "sklearn.tree.DecisionTreeRegressor", "log_loss": "sklearn.tree.DecisionTreeClassifier"}
_TARGET = {"rmse": PRICE, "log_loss": SPECIES}
both_kinds = pytest.mark.parametrize("deciding", ["rmse", "log_loss"])


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _table(deciding: str) -> FloatArray:
    return classified() if deciding == "log_loss" else priced()


def _grown(table: FloatArray) -> FloatArray:
    """Return the table with one more row: that changes which rows are held out."""
    new = table[:1].copy()
    new[0, 0] += 0.5
    return np.vstack([table, new])


def _publish(
    store: ModelStore, table: FloatArray, deciding: str, estimator: str, **parameters: object
) -> int:
    return publish_table(store, table, _TARGET[deciding], estimator, FEATURES, **parameters)


def _compare(store: ModelStore, version: int, table: FloatArray) -> Comparison:
    digest = store.verified(version).provenance.data
    return compare_on_holdout(store, version, table.copy(), digest, _TOLERANCE)


def _after_growth(
    store: ModelStore, deciding: str, current: str, candidate: str, **parameters: object
) -> Comparison:
    """Serve one estimator's model, train another on one more row, and compare."""
    table = _table(deciding)
    promote(store, _publish(store, table, deciding, current))
    return _compare(store, _publish(store, _grown(table), deciding, candidate, **parameters), _grown(table))


@both_kinds
def test_as_good_a_forest_is_promoted_though_the_current_one_remembers_rows(
    store: ModelStore, deciding: str
) -> None:
    evaluation = _after_growth(store, deciding, _FOREST[deciding], _FOREST[deciding]).evaluation

    mine, current = getattr(evaluation, deciding), getattr(evaluation, f"current_{deciding}")
    assert mine > current * (1 + _TOLERANCE), "the current version has not seen these rows"
    assert evaluation.current_own_holdout == store.verified(1).metrics[deciding]
    assert evaluation.verdict == "promoted"


@both_kinds
def test_a_worse_model_is_rejected_by_what_the_current_one_was_on_its_own_holdout(
    store: ModelStore, deciding: str
) -> None:
    comparison = _after_growth(store, deciding, _FOREST[deciding], _TREE[deciding], max_depth=1)

    evaluation = comparison.evaluation
    assert evaluation.verdict == "rejected"
    own = f"than {evaluation.current_own_holdout:.4g} of the current version on its own hold-out"
    assert own in evaluation.reason
    write_report(comparison, store.path(2))
    report = (store.path(2) / "report.html").read_text(encoding="utf-8")
    assert f"no smaller than the {evaluation.current_own_holdout:.4g} on its own hold-out" in report


def test_a_linear_model_is_judged_on_the_same_rows_alone(store: ModelStore) -> None:
    line = "sklearn.linear_model.LinearRegression"

    evaluation = _after_growth(store, "rmse", line, _TREE["rmse"], max_depth=4).evaluation

    assert evaluation.current_rmse is not None
    assert evaluation.current_own_holdout is None


def test_the_same_table_has_the_same_holdout(store: ModelStore) -> None:
    table = priced()
    promote(store, _publish(store, table, "rmse", _FOREST["rmse"]))
    version = _publish(store, table, "rmse", _FOREST["rmse"], max_depth=4)

    evaluation = _compare(store, version, table).evaluation

    assert evaluation.current_rmse == pytest.approx(store.verified(1).metrics["rmse"])
    assert evaluation.current_own_holdout is None
