"""A model volume with a current version and others that can be tried beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mlstack.registry.store import ModelStore
from mlstack.training.config import TrainingConfig
from tests.harness.model_versions import line_table, promote, publish

TREE = "sklearn.tree.DecisionTreeRegressor"


def volume_of_lines(root: Path, *slopes: float) -> ModelStore:
    """Publish y = slope · x + 1 for each slope; the first one, version 1, is current."""
    store = ModelStore(root)
    config = TrainingConfig(features=("x",))
    for slope in slopes:
        publish(store, line_table(slope), config)
    promote(store, 1)
    return store


def publish_tree(store: ModelStore) -> int:
    """Publish a tree of y = 2x + 1, which refuses numbers beyond float32; the line does not."""
    config = TrainingConfig(features=("x",), estimator=TREE, parameters={"max_depth": 3})
    return publish(store, line_table(2.0), config)


def publish_of_columns(store: ModelStore, *features: str) -> int:
    """Publish a line of these columns, each with the slope 5."""
    table = line_table(5.0, features=len(features))
    return publish(store, np.asarray(table), replace(TrainingConfig(), features=features))
