"""Model versions of mixed columns, and classifiers, for tests of the servers: fitted here on encoded rows."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import numpy as np
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mlstack.inference.artifact import Estimator, save_estimator
from mlstack.registry.columns import Class, Column
from mlstack.registry.intervals import ConformalInterval, ConformalSets, Interval
from mlstack.registry.manifest import Manifest, Provenance
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray

CITIES = ("Hanoi", "Lima", "Oslo")
HOUSE = (
    Column(name="area", kind="number", low=20.0, high=220.0),
    Column(name="city", kind="category", categories=CITIES),
    Column(name="rooms", kind="number", nullable=True, low=1.0, high=6.0),
    Column(name="garden", kind="boolean"),
)
PASSENGER = (
    Column(name="fare", kind="number", low=5.0, high=95.0),
    Column(name="port", kind="category", categories=("Cork", "Kiel"), nullable=True),
    Column(name="alone", kind="boolean", nullable=True),
)
FLOWER = tuple(Column(name=name, kind="number", low=0.0, high=8.0) for name in ("sepal", "petal"))
HOUSE_ROW: dict[str, Any] = {"area": 120, "city": "Hanoi", "rooms": None, "garden": True}
PASSENGER_ROW: dict[str, Any] = {"fare": 50, "port": None, "alone": False}
_SETS = ConformalSets(threshold=0.2)


def publish_houses(store: ModelStore, level: float = 100.0) -> int:
    """Publish and promote a regressor of mixed columns: a price of `level` and more."""
    x = _rows(HOUSE)
    y = level + 3.0 * x[:, 0] + 50.0 * x[:, 1] + 20.0 * x[:, 3]
    estimator = make_pipeline(_encoder(HOUSE), LinearRegression()).fit(x, y)
    interval = ConformalInterval(half_width=10.0, residual_variance=25.0, target_variance=30_000.0)
    return _publish(store, estimator, HOUSE, (), interval)


def publish_passengers(store: ModelStore) -> int:
    """Publish and promote a classifier of two classes, booleans, with text columns and NULLs."""
    x = _rows(PASSENGER)
    y = (np.nan_to_num(x[:, 0]) + 20 * np.nan_to_num(x[:, 1]) > 55).astype(int)
    estimator = make_pipeline(_encoder(PASSENGER), LogisticRegression(max_iter=1000)).fit(x, y)
    return _publish(store, estimator, PASSENGER, (False, True), _SETS)


def publish_flowers(store: ModelStore, classes: tuple[Class, ...] = ("iris", "lily", "rose")) -> int:
    """Publish and promote a classifier of several classes with plain numbers."""
    x = _rows(FLOWER)
    y = np.digitize(x.sum(axis=1), np.linspace(0, 16, len(classes) + 1)[1:-1])
    y[: len(classes)] = range(len(classes))  # each class is there
    estimator = RandomForestClassifier(10, max_depth=4, random_state=0).fit(x, y)
    return _publish(store, estimator, FLOWER, classes, _SETS)


def publish_gaps(store: ModelStore) -> int:
    """Publish and promote a regressor of two numbers or NULLs, for the rows of `publish_flowers`."""
    columns = tuple(msgspec.structs.replace(column, nullable=True) for column in FLOWER)
    x = _rows(columns)
    estimator = make_pipeline(_encoder(columns), LinearRegression()).fit(x, np.nan_to_num(x).sum(axis=1))
    interval = ConformalInterval(half_width=1.0, residual_variance=1.0, target_variance=10.0)
    return _publish(store, estimator, columns, (), interval)


def _rows(columns: tuple[Column, ...], rows: int = 300) -> FloatArray:
    """Return random encoded rows [n, k] as a table of these columns has them."""
    random = np.random.default_rng(667)
    table = np.empty((rows, len(columns)))
    for position, column in enumerate(columns):
        if column.kind == "number":
            table[:, position] = random.uniform(column.low or 0.0, column.high or 1.0, rows)
        else:
            table[:, position] = random.integers(len(column.categories) or 2, size=rows)
        if column.nullable:
            table[random.random(rows) < 0.1, position] = np.nan
    return table


def _encoder(columns: tuple[Column, ...]) -> ColumnTransformer:
    """Return what stands in front of an estimator: unseen categories are none of the known ones."""
    number = [position for position, column in enumerate(columns) if column.kind != "category"]
    parts: list[tuple[str, Any, list[int]]] = [("numbers", SimpleImputer(), number)]
    for position, column in enumerate(columns):
        if column.kind == "category":
            known = [np.arange(float(len(column.categories)))]
            one_hot = OneHotEncoder(categories=known, handle_unknown="ignore")
            part = make_pipeline(SimpleImputer(strategy="constant", fill_value=-1.0), one_hot)
            parts.append((column.name, part, [position]))
    return ColumnTransformer(parts, sparse_threshold=0)


def _publish(
    store: ModelStore,
    estimator: Estimator,
    columns: tuple[Column, ...],
    classes: tuple[Class, ...],
    interval: Interval,
) -> int:
    content = hashlib.sha256(skops.io.dumps(estimator)).hexdigest()
    provenance = Provenance(
        content=content, data=content, table="houses", rows=300, test_fraction=0.2,
        created="2026-01-01T00:00:00Z", libraries={},
    )  # fmt: skip
    manifest = Manifest(
        features=tuple(column.name for column in columns), columns=columns, target="y", classes=classes,
        estimator=f"sklearn.{type(estimator).__name__}", parameters={}, metrics={}, interval=interval,
        provenance=provenance,
    )  # fmt: skip
    version = store.publish(manifest, lambda directory: save_estimator(estimator, directory))
    store.record(version, Evaluation(verdict="promoted"))
    return version
