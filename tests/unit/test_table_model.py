"""model.pkl takes the table's own values and agrees with what the servers answer."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from mlstack.inference.encoding import encode_rows
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from tests.harness.mixed_tables import FEATURES, NAMES, PRICE, SPECIES, classified, priced, publish_table

_ROWS: list[list[Any]] = [
    [120.0, "Hanoi", 3.0, True, False],
    [80.5, "Lima", None, False, None],
    [99.0, None, 2.0, True, True],
    [40.0, "Atlantis", 1.0, False, True],
]
_FRAME = pd.DataFrame(_ROWS, columns=list(NAMES))
_GAPS_AS_NAN = _FRAME.astype({"rooms": "float64"}).assign(city=["Hanoi", "Lima", math.nan, "Atlantis"])


def _models(tmp_path: Path, target: Column, estimator: str) -> tuple[LoadedModel, Any]:
    store = ModelStore(tmp_path)
    table = priced() if target is PRICE else classified()
    directory = store.path(publish_table(store, table, target, estimator))
    return load_model(directory), joblib.load(directory / "model.pkl")


@pytest.mark.parametrize(
    "rows",
    [_FRAME, _FRAME[list(reversed(NAMES))], _GAPS_AS_NAN, np.array(_ROWS, dtype=object)],
    ids=["frame", "another order", "NaN", "array"],
)
@pytest.mark.parametrize(
    "estimator", ["sklearn.linear_model.LinearRegression", "sklearn.ensemble.RandomForestRegressor"]
)
def test_a_regressor_predicts_what_the_servers_answer(tmp_path: Path, estimator: str, rows: Any) -> None:
    model, mine = _models(tmp_path, PRICE, estimator)

    np.testing.assert_allclose(
        mine.predict(rows), model.predict(encode_rows(FEATURES, _ROWS)).values, rtol=1e-12
    )


@pytest.mark.filterwarnings("ignore:lbfgs failed")
@pytest.mark.parametrize(
    "estimator", ["sklearn.neural_network.MLPClassifier", "sklearn.ensemble.HistGradientBoostingClassifier"]
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_classifier_predicts_labels(tmp_path: Path, estimator: str) -> None:
    model, mine = _models(tmp_path, SPECIES, estimator)

    answer = model.classify(encode_rows(FEATURES, _ROWS))

    assert mine.predict(_FRAME).tolist() == [model.classes[position] for position in answer.likeliest]
    np.testing.assert_allclose(mine.predict_proba(_FRAME), answer.probabilities, rtol=1e-12)
    assert mine.classes_.tolist() == list(model.classes)


def test_it_needs_nothing_of_this_project(tmp_path: Path) -> None:
    _models(tmp_path, SPECIES, "sklearn.tree.DecisionTreeClassifier")
    program = f"""
import sys, joblib
model = joblib.load({str(tmp_path / "versions/1/model.pkl")!r})
print(model.predict([[120.0, "Hanoi", None, True, None]])[0], "mlstack" in sys.modules)
"""
    command = [sys.executable, "-c", program]

    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)

    assert done.stdout.split()[0] in SPECIES.categories
    assert done.stdout.split()[1] == "False"


def test_of_plain_numbers_it_is_the_estimator_itself(tmp_path: Path) -> None:
    store, plain = ModelStore(tmp_path), (Column(name="area", kind="number"),)
    version = publish_table(store, priced()[:, [0, 5]], PRICE, "sklearn.linear_model.LinearRegression", plain)

    mine = joblib.load(store.path(version) / "model.pkl")

    assert type(mine).__name__ == "LinearRegression"
    assert mine.predict([[100.0]]).shape == (1,)
