"""The 95 % intervals, by simulation: they hold 95 % of what was not seen in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skops.io

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.intervals import LEVEL
from mlstack.registry.manifest import write_manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train


@pytest.mark.parametrize("estimator", ["LinearRegression", "Ridge"])
def test_the_interval_holds_95_percent_of_new_observations(tmp_path: Path, estimator: str) -> None:
    config = TrainingConfig(features=("a", "b"), estimator=f"sklearn.linear_model.{estimator}")
    random = np.random.default_rng(1)
    inside = [_covered(config, random, tmp_path / str(trial)) for trial in range(120)]

    # Least squares is exact; a conformal interval is so on average over hold-outs of 20 rows: 95 % to 100 %.
    upper = LEVEL + 0.012 if estimator == "LinearRegression" else 0.985
    assert LEVEL - 0.012 < np.mean(inside) < upper


def _covered(config: TrainingConfig, random: np.random.Generator, root: Path) -> float:
    """Return the share of 500 new observations that a model of 100 old ones holds in its interval."""
    model = _fitted(config, _observations(random, 100), root)
    new = _observations(random, 500)
    answer = model.predict(np.ascontiguousarray(new[:, :-1]))
    return float(np.mean((answer.lower <= new[:, -1]) & (new[:, -1] <= answer.upper)))


def _observations(random: np.random.Generator, rows: int) -> FloatArray:
    x = random.normal([3.0, -40.0], [1.0, 25.0], size=(rows, 2))
    return np.column_stack([x, x @ [2.0, -0.3] + 1 + random.normal(0, 4.0, rows)])


def _fitted(config: TrainingConfig, table: FloatArray, root: Path) -> LoadedModel:
    estimator, manifest = train(table, config, "digest", "t")
    root.mkdir()
    skops.io.dump(estimator, root / "model.skops")
    write_manifest(root, manifest, 1)
    return load_model(root)
