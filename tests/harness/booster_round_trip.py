"""Runs with XGBoost and LightGBM: trains, publishes and loads each kind; prints what came of it as JSON.

With a folder as its argument; in it remains a model volume for each case, with one promoted version.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mlstack.inference.artifact import load_estimator
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.train import publish, train
from tests.harness.mixed_tables import FEATURES, NAMES, PRICE, SPECIES, classified, mixed_rows, priced

_TREES: dict[str, Any] = {"n_estimators": 20}
_SOLD = Column(name="sold_soon", kind="boolean")
_CASES: tuple[tuple[str, dict[str, Any], Column], ...] = (
    ("xgboost.XGBRegressor", _TREES | {"n_jobs": 2}, PRICE),
    ("xgboost.XGBRegressor", _TREES | {"booster": "gblinear"}, PRICE),
    ("xgboost.XGBRFRegressor", _TREES, PRICE),
    ("lightgbm.LGBMRegressor", _TREES | {"num_threads": 2}, PRICE),
    (
        "sklearn.preprocessing.StandardScaler,lightgbm.LGBMRegressor",
        {"lgbmregressor__n_estimators": 20},
        PRICE,
    ),
    ("xgboost.XGBClassifier", _TREES | {"nthread": 2}, _SOLD),
    ("xgboost.XGBClassifier", _TREES, SPECIES),
    ("xgboost.XGBRFClassifier", _TREES, SPECIES),
    ("lightgbm.LGBMClassifier", _TREES, _SOLD),
    ("lightgbm.LGBMClassifier", _TREES, SPECIES),
)


def main() -> None:
    """Print one entry a case."""
    root = Path(sys.argv[1])
    print(json.dumps([_outcome(root / str(number), *case) for number, case in enumerate(_CASES)]))


def _outcome(root: Path, name: str, parameters: dict[str, Any], target: Column) -> dict[str, Any]:
    config = TrainingConfig(NAMES, target.name, name, parameters)
    table = priced() if target is PRICE else classified(classes=2 if target is _SOLD else 3)
    estimator, manifest = train(table, config, "digest", "houses", (*FEATURES, target))
    store = ModelStore(root)
    version = publish(store, estimator, manifest)
    store.record(version, Evaluation(verdict="promoted"))
    model, rows = load_model(store.path(version)), mixed_rows(300, seed=1)
    return {
        "case": f"{name} of {target.name}",
        "volume": str(root),
        "same": bool((_answers(model, rows) == _expected(estimator, model, rows)).all()),
        "independent": model.row_independent,
        "threads": _threads(store.path(version), model),
    }


def _answers(model: LoadedModel, rows: FloatArray) -> FloatArray:
    return model.classify(rows).probabilities if model.classes else model.predict(rows).values


def _expected(estimator: Any, model: LoadedModel, rows: FloatArray) -> FloatArray:
    found = estimator.predict_proba(rows) if model.classes else estimator.predict(rows)
    return np.asarray(found, dtype=np.float64)


def _threads(path: Path, model: LoadedModel) -> list[int]:
    """Return how many threads the loaded estimator is told to use, whatever the parameter is called."""
    content = (path / "model.skops").read_bytes()
    loaded: Any = load_estimator(path, content, model.columns, model.classes, 1 << 30)
    names = {"n_jobs", "nthread", "num_threads"}
    return [value for name, value in loaded.get_params().items() if name.rpartition("__")[2] in names]


if __name__ == "__main__":
    main()
