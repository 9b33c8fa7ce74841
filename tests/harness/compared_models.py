"""Comparisons for reports: small trees fitted to encoded rows of mixed columns; values try to be HTML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from mlstack.evaluation.comparison import Comparison
from mlstack.inference.artifact import Estimator, save_estimator
from mlstack.inference.loading import load_model
from mlstack.registry.columns import UNSEEN, Class, Column
from mlstack.registry.intervals import ConformalInterval, ConformalSets, Interval
from mlstack.registry.manifest import Manifest, Provenance
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from mlstack.training.splitting import Dataset

HOSTILE = "<script>alert(1)</script>"
COLUMNS = (
    Column(name="area", kind="number", nullable=True, low=20.0, high=220.0),
    Column(name="<b>city</b>", kind="category", categories=(HOSTILE, "Huế\x01", "Hà Nội")),
    Column(name="garden", kind="boolean"),
)
SETS = ConformalSets(threshold=0.2)
WIDTH = ConformalInterval(half_width=1.0, residual_variance=0.25, target_variance=1.0)
METRICS = {"log_loss": 0.75, "accuracy": 0.5, "baseline_log_loss": 1.0625}


def mixed_rows(rows: int = 400) -> FloatArray:
    """Return encoded rows and a number that depends on all columns, last."""
    random = np.random.default_rng(667)
    area, city, garden = (
        random.uniform(20, 220, rows),
        random.integers(3, size=rows),
        random.integers(2, size=rows),
    )
    score = area / 100 + city + garden + random.normal(0, 0.5, rows)
    area[::9], city[::50] = np.nan, UNSEEN
    return np.column_stack([area, city, garden, score])


def compared(
    tmp_path: Path, estimator: Estimator, table: FloatArray, classes: tuple[Class, ...], interval: Interval
) -> Comparison:
    """Fit `estimator` to the first half of `table` [n, k + 1], publish it; the other half is the hold-out."""
    training, holdout = Dataset(table[:200]), Dataset(table[200:])
    estimator.fit(training.x, training.y)
    manifest = Manifest(
        features=tuple(column.name for column in COLUMNS), columns=COLUMNS,
        target="<i>price</i>", classes=classes,
        estimator=f"sklearn.tree.{type(estimator).__name__}", parameters={"<u>": 1}, metrics=METRICS,
        interval=interval, provenance=Provenance(
            content="c", data="d", table="houses", rows=400, test_fraction=0.5, created="2026", libraries={}
        ),
    )  # fmt: skip
    store = ModelStore(tmp_path)
    version = store.publish(manifest, lambda directory: save_estimator(estimator, directory))
    return Comparison(Evaluation(verdict="promoted"), load_model(store.path(version)), training, holdout)


def classified(tmp_path: Path, classes: tuple[Class, ...]) -> Comparison:
    """Return a classifier of two or three classes."""
    table = mixed_rows()
    table[:, -1] = np.digitize(table[:, -1], np.quantile(table[:, -1], [0.3, 0.7][: len(classes) - 1]))
    return compared(tmp_path, DecisionTreeClassifier(max_depth=4, random_state=0), table, classes, SETS)
