"""The revision in every content digest stands for what training makes of a table; both change together."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

from mlstack.inference.artifact import Estimator
from mlstack.inference.loading import load_model
from mlstack.registry.intervals import ConformalSets
from mlstack.registry.manifest import Manifest, read_manifest
from mlstack.registry.store import ModelStore
from mlstack.training.config import REVISION, TrainingConfig, content_digest
from mlstack.training.train import train
from tests.harness.repository_root import ROOT

FIRST_RELEASE = ROOT / "tests" / "data" / "first_release"  # the model volume that commit 3d5f419 wrote

_MODELS = {
    "LinearRegression": TrainingConfig(("a", "b")),
    "Ridge": TrainingConfig(("a", "b"), estimator="sklearn.linear_model.Ridge", parameters={"alpha": 2.0}),
    "RandomForest": TrainingConfig(
        ("a", "b"), estimator="sklearn.ensemble.RandomForestRegressor", parameters={"n_estimators": 5}
    ),
}
# What revision 1 makes of the table below: the hold-out's RMSE, the prediction at (1, 2), half width.
_MADE_BY = {
    "bc93b3c7": {
        "LinearRegression": (1.2267521037104416, -2.426782023384888, 2.462031957950686),
        "Ridge": (1.2265325190583805, -2.4013880207475102, 1.988192236600936),
        "RandomForest": (0.817034233457648, -0.37445230405428115, 1.670219699844039),
    }
}


@pytest.mark.parametrize("name", _MODELS)
def test_a_revision_makes_the_same_model_of_the_same_table(name: str) -> None:
    random = np.random.default_rng(5)
    x = random.uniform(0, 4, size=(200, 2))
    y = 3 * x[:, 0] - x[:, 1] ** 2 + random.normal(0, 0.3, 200)

    estimator, manifest = train(np.column_stack([x, y]), _MODELS[name], "digest", "t")

    expected = _MADE_BY[REVISION[0][:8]][name]
    assert _summary(estimator, manifest) == pytest.approx(expected, rel=1e-9), (
        "training makes another model than before: give it a new REVISION and its own row in _MADE_BY"
    )


def _summary(estimator: Estimator, manifest: Manifest) -> tuple[float, ...]:
    at = float(np.asarray(estimator.predict(np.array([[1.0, 2.0]]))).reshape(-1)[0])
    interval = manifest.interval
    assert not isinstance(interval, ConformalSets)
    deviation = float(np.sqrt(interval.residual_variance))
    return manifest.metrics["rmse"], at, interval.quantile * deviation


@pytest.mark.skipif(version("scikit-learn") != "1.9.1", reason="another scikit-learn retrains every model")
def test_the_demonstration_of_the_first_release_is_not_trained_anew() -> None:
    manifest = read_manifest(FIRST_RELEASE / "versions" / "1")

    assert content_digest(manifest.provenance.data, TrainingConfig()) == manifest.provenance.content


def test_a_version_of_the_first_release_is_loaded_and_answers() -> None:
    store = ModelStore(FIRST_RELEASE)

    answer = load_model(store.path(1)).predict(np.array([[5.0]]))

    assert store.evaluation(1).verdict == "promoted"
    assert answer.values == pytest.approx([11.0], abs=1e-3)
