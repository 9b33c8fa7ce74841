"""Faster functions for classifiers and mixed columns: to the last bit for trees, within rounding for sums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlstack.inference.artifact import load_estimator
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.columns import Column, vary
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from tests.harness.mixed_tables import FEATURES, PRICE, SPECIES, classified, priced, publish_table

_ENSEMBLE = "sklearn.ensemble"
_TREES = {
    f"{_ENSEMBLE}.RandomForestClassifier": "_forest_classes",
    f"{_ENSEMBLE}.ExtraTreesClassifier": "_forest_classes",
    f"{_ENSEMBLE}.HistGradientBoostingClassifier": "_boosted_classes",
    "sklearn.tree.DecisionTreeClassifier": "_tree_classes",
    f"{_ENSEMBLE}.RandomForestRegressor": "_forest",
    f"{_ENSEMBLE}.HistGradientBoostingRegressor": "_boosted",
}
_SCALED = "sklearn.preprocessing.StandardScaler"
_LOGISTIC = "sklearn.linear_model.LogisticRegression"
_SUMS = [
    "sklearn.linear_model.LinearRegression",
    "sklearn.linear_model.Ridge",
    f"{_SCALED},sklearn.linear_model.Ridge",
    _LOGISTIC,
    f"{_SCALED},{_LOGISTIC}",
]
_PLAIN = tuple(Column(name=name, kind="number") for name in ("a", "b"))


def _loaded(root: Path, estimator: str, *, plain: bool = False, classes: int = 3) -> LoadedModel:
    """Return a model that was published and loaded, of mixed or of plain columns."""
    classifier = "Classif" in estimator or "Logistic" in estimator
    table = classified(200, classes=classes) if classifier else priced(200)
    target = SPECIES if classifier else PRICE
    if classes == 2:
        target = Column(name="species", kind="boolean")
    features = _PLAIN if plain else FEATURES
    rows = np.nan_to_num(table[:, [0, 3, 5]]) if plain else table
    parameters = {"max_iter": 20} if "HistGradient" in estimator else {}
    store = ModelStore(root)
    return load_model(store.path(publish_table(store, rows, target, estimator, features, **parameters)))


def _rows(model: LoadedModel, spread: float = 200.0) -> FloatArray:
    """Return encoded rows with NULL and unseen categories."""
    random = np.random.default_rng(3)
    return vary(model.columns, random.normal(100, spread, size=(300, model.n_features)))


def _theirs(root: Path, model: LoadedModel, rows: FloatArray) -> FloatArray:
    path = ModelStore(root).path(model.version) / "model.skops"
    estimator = load_estimator(path, path.read_bytes(), model.columns, model.classes, 1 << 30)
    return estimator.predict_proba(rows) if model.classes else estimator.predict(rows)


def _mine(model: LoadedModel, rows: FloatArray) -> FloatArray:
    return model.classify(rows).probabilities if model.classes else model.predict(rows).values


def _assert_independent(model: LoadedModel, rows: FloatArray) -> None:
    alone = np.concatenate([_mine(model, rows[n : n + 1]) for n in range(len(rows))])
    random = np.random.default_rng(2)
    assert model.row_independent
    for size in (2, 3, 17, 64, 200):
        chosen = random.permutation(len(rows))[:size]
        assert (_mine(model, np.ascontiguousarray(rows[chosen])) == alone[chosen]).all()


@pytest.mark.parametrize("plain", [False, True], ids=["mixed", "plain"])
@pytest.mark.parametrize("estimator", _TREES)
def test_trees_answer_to_the_last_bit_what_the_estimator_does(
    tmp_path: Path, estimator: str, plain: bool
) -> None:
    model = _loaded(tmp_path, estimator, plain=plain)
    rows = _rows(model)

    assert (_mine(model, rows) == _theirs(tmp_path, model, rows)).all()
    _assert_independent(model, rows)


@pytest.mark.parametrize(("estimator", "maker"), _TREES.items())
def test_trees_do_without_the_estimators_own_call(tmp_path: Path, estimator: str, maker: str) -> None:
    assert maker in _function(_loaded(tmp_path / "plain", estimator, plain=True))
    assert "_quick" in _function(_loaded(tmp_path / "mixed", estimator))


def _function(model: LoadedModel) -> str:
    return str(getattr(model._predict, "__qualname__", ""))


@pytest.mark.filterwarnings("ignore:lbfgs failed")
@pytest.mark.parametrize("plain", [False, True], ids=["mixed", "plain"])
@pytest.mark.parametrize(
    ("estimator", "classes"), [*((name, 3) for name in _SUMS), *((name, 2) for name in _SUMS[3:])]
)
def test_sums_by_column_are_quick_and_within_rounding(
    tmp_path: Path, estimator: str, plain: bool, classes: int
) -> None:
    model = _loaded(tmp_path, estimator, plain=plain, classes=classes)
    rows = _rows(model)

    assert model.quick
    np.testing.assert_allclose(_mine(model, rows), _theirs(tmp_path, model, rows), rtol=1e-9, atol=1e-11)
    _assert_independent(model, rows)


def test_an_estimator_that_multiplies_matrices_is_neither(tmp_path: Path) -> None:
    model = _loaded(tmp_path, "sklearn.neighbors.KNeighborsClassifier")

    assert not model.quick
    assert not model.row_independent


def test_boosting_by_scikit_learns_own_call_is_row_by_row(tmp_path: Path) -> None:
    model = _loaded(tmp_path, f"{_ENSEMBLE}.GradientBoostingClassifier")

    _assert_independent(model, _rows(model))


def test_a_number_beyond_float32_is_an_overflow_beside_a_gap(tmp_path: Path) -> None:
    model = _loaded(tmp_path, f"{_ENSEMBLE}.RandomForestClassifier")

    with pytest.raises(PredictionOverflow, match="float32"):
        model.classify(np.array([[1e39, np.nan, np.nan, 1.0, 0.0]]))
