"""Model versions for tests, made by the real training code."""

from __future__ import annotations

import numpy as np

from mlstack.registry.bucket.index import object_name
from mlstack.registry.bucket.remote_store import RemoteModelStore
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train_and_publish


def line_table(slope: float = 2.0, noise: float = 0.5, rows: int = 100, features: int = 1) -> FloatArray:
    """Return rows [n, features + 1] of y = slope · (x₁ + …) + 1 + noise, x uniform in [0, 20]."""
    random = np.random.default_rng(667)
    x = random.uniform(0, 20, size=(rows, features))
    y = slope * x.sum(axis=1) + 1 + random.normal(0, noise, rows)
    return np.column_stack([x, y])


def publish(store: ModelStore, table: FloatArray, config: TrainingConfig | None = None) -> int:
    """Train on `table` and publish the version as the latest; return its number."""
    digest = str(hash(table.tobytes()))
    config = config or TrainingConfig(features=tuple(f"x{i}" for i in range(1, table.shape[1])))
    version = train_and_publish(store, table.copy(), config, digest, "linear_data")
    store.set_latest(version)
    return version


def damage(store: ModelStore, version: int, name: str, content: bytes = b"") -> None:
    """Replace the content of a version's file by another, wherever the store keeps it."""
    path = store.path(version) / name
    path.write_bytes(content)
    if isinstance(store, RemoteModelStore):
        where = path.relative_to(store.root).as_posix()
        entry = store._mirror.applied().index.files[where]
        store._bucket.upload(object_name(where, entry), path)


def promote(store: ModelStore, version: int) -> int:
    """Let `version` pass as the quality gate does; return it."""
    store.record(version, Evaluation(verdict="promoted", reason="passed the quality gate"))
    return version
