"""Tables of encoded rows with every kind of column, for tests of training."""

from __future__ import annotations

import numpy as np

from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.train import publish, train

CITIES = ("Hanoi", "Lima", "Oslo")
FEATURES = (
    Column(name="area", kind="number"),
    Column(name="city", kind="category", categories=CITIES, nullable=True),
    Column(name="rooms", kind="number", nullable=True),
    Column(name="garden", kind="boolean"),
    Column(name="sold", kind="boolean", nullable=True),
)
NAMES = tuple(column.name for column in FEATURES)
PRICE = Column(name="price", kind="number")
SPECIES = Column(name="species", kind="category", categories=("ant", "bee", "cat"))


def mixed_rows(rows: int = 400, seed: int = 667) -> FloatArray:
    """Return encoded rows [n, 5] of FEATURES, some values missing."""
    random = np.random.default_rng(seed)
    columns = [
        random.uniform(20, 220, rows),
        random.integers(3, size=rows).astype(np.float64),
        random.integers(1, 7, size=rows).astype(np.float64),
        random.integers(2, size=rows).astype(np.float64),
        random.integers(2, size=rows).astype(np.float64),
    ]
    for position in (1, 2, 4):
        columns[position][random.random(rows) < 0.1] = np.nan
    return np.column_stack(columns)


def priced(rows: int = 400, seed: int = 667) -> FloatArray:
    """Return rows of FEATURES and a price that depends on the columns [n, 6]."""
    x, random = mixed_rows(rows, seed), np.random.default_rng(seed + 1)
    known = np.nan_to_num(x)
    y = 3 * known[:, 0] + 40 * (known[:, 1] == 1) + 5 * known[:, 2] + 20 * known[:, 3]
    return np.column_stack([x, y + random.normal(0, 5, rows)])


def classified(rows: int = 400, seed: int = 667, classes: int = 3) -> FloatArray:
    """Return rows of FEATURES and the position of a class that depends on the columns [n, 6]."""
    x, random = mixed_rows(rows, seed), np.random.default_rng(seed + 1)
    score = np.nan_to_num(x)[:, 0] / 60 + (x[:, 1] == 1) + random.normal(0, 0.4, rows)
    return np.column_stack([x, np.digitize(score, [1.5, 2.7][: classes - 1]).astype(np.float64)])


def publish_table(
    store: ModelStore,
    table: FloatArray,
    target: Column,
    estimator: str,
    features: tuple[Column, ...] = FEATURES,
    **parameters: object,
) -> int:
    """Train on encoded rows, publish the version as the latest; return its number."""
    names = tuple(column.name for column in features)
    config = TrainingConfig(names, target.name, estimator, parameters)
    digest = str(hash((table.tobytes(), features, target)))
    version = publish(store, *train(table.copy(), config, digest, "houses", (*features, target)))
    store.set_latest(version)
    return version
