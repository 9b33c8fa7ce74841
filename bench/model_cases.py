"""The models that bench/models.py measures: what they are trained on, and the advantage that is wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlstack.inference.artifact import save_estimator
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train

_ENSEMBLE, _LOGISTIC = "sklearn.ensemble", "sklearn.linear_model.LogisticRegression"
MIXED = ("words", "product", "channel")
_MIXED_COLUMNS = (
    Column(name="words", kind="number", low=10.0, high=20.0),
    Column(name="product", kind="category", categories=("app", "router", "tariff", "television")),
    Column(name="channel", kind="category", categories=("chat", "mail", "phone")),
    Column(name="team", kind="category", categories=("billing", "sales", "technical")),
)
MIXED_BODY = '{"features": [%.12f, "router", "mail"]}'
MODELS = {
    "RandomForest, 100 trees": (TrainingConfig(estimator=f"{_ENSEMBLE}.RandomForestRegressor"), 10.0),
    "HistGradientBoosting": (TrainingConfig(estimator=f"{_ENSEMBLE}.HistGradientBoostingRegressor"), 8.0),
    "StandardScaler + SVR": (
        TrainingConfig(estimator="sklearn.preprocessing.StandardScaler, sklearn.svm.SVR"),
        4.0,
    ),
    "one-hot + LogisticRegression": (TrainingConfig(MIXED, "team", _LOGISTIC), 4.0),
    "one-hot + RandomForestClassifier": (
        TrainingConfig(MIXED, "team", f"{_ENSEMBLE}.RandomForestClassifier"),
        4.0,
    ),
}
_ROWS = 1000


def publish(root: Path, config: TrainingConfig) -> None:
    """Train and promote a model of `config` in the model volume `root`."""
    if config.features == MIXED:
        estimator, manifest = train(_tickets(), config, config.estimator, "tickets", _MIXED_COLUMNS)
    else:
        estimator, manifest = train(_wave(), config, config.estimator, "linear_data")
    store = ModelStore(root)
    version = store.publish(manifest, lambda directory: save_estimator(estimator, directory, manifest))
    store.record(version, Evaluation(verdict="promoted"))


def _wave() -> FloatArray:
    generator = np.random.default_rng(667)
    x = generator.uniform(10, 20, _ROWS)
    return np.column_stack([x, np.sin(x) * x + generator.normal(0, 0.5, _ROWS)])


def _tickets() -> FloatArray:
    """Return encoded rows of three columns and a class that depends on all of them."""
    generator = np.random.default_rng(667)
    words, product, channel = (
        generator.uniform(10, 20, _ROWS),
        generator.integers(4, size=_ROWS),
        generator.integers(3, size=_ROWS),
    )
    team = (words / 5 + product + channel + generator.integers(2, size=_ROWS)).astype(int) % 3
    return np.column_stack([words, product, channel, team]).astype(np.float64)
