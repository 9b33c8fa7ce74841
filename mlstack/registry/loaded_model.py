"""A loaded version of the model: verified, immutable, safe to share between threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlstack.registry.artifact import load_estimator
from mlstack.registry.intervals import Deviation, LeastSquaresInterval, predictive_deviation
from mlstack.registry.manifest import Manifest, read_manifest, read_verified
from mlstack.registry.predictors import (
    Predict,
    PredictionOverflow,
    linear_predict,
    probes_around,
    quickest_predict,
)
from mlstack.registry.row_independence import rows_are_independent
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import ModelRefused

ARTIFACT = "model.skops"
MOST_BYTES = 1 << 30  # of a version that this project's own steps load; servers have a limit of their own


class Predictions(NamedTuple):
    """Arrays [n], an entry per row: ŷ, its 95 % prediction interval, the explained share of y's variance."""

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    confidence: FloatArray


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A version of the model with what is needed to predict."""

    manifest: Manifest
    version: int
    digest: str  # SHA-256 over everything that a prediction depends on
    n_features: int
    row_independent: bool  # a row's prediction is bit-identical, whatever other rows are in the call
    quick: bool  # a call takes microseconds, so it may run on the event loop
    _predict: Predict = field(repr=False)
    _deviation: Deviation = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of a row."""
        return self.manifest.features

    @property
    def target(self) -> str:
        """The name of the target."""
        return self.manifest.target

    @property
    def estimator_name(self) -> str:
        """The estimator's class, such as LinearRegression."""
        return self.manifest.estimator_name

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics on the hold-out: mse, rmse, mae, r2, baseline_rmse."""
        return self.manifest.metrics

    def predict(self, rows: FloatArray) -> Predictions:
        """Predict float64 rows [n, n_features]; raise PredictionOverflow if a prediction is not finite."""
        with np.errstate(all="ignore"):
            values = self._predict(rows)
            deviation = self._deviation(rows)
            margin = deviation * self.manifest.interval.quantile
            lower, upper = values - margin, values + margin
            # lower <= ŷ <= upper, so ŷ is finite if both bounds are.
            if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
                raise PredictionOverflow("the input is so large that the prediction is not a finite number")
            ratio = deviation / np.sqrt(self.manifest.interval.target_variance)
            confidence = np.maximum(0.0, 1.0 - ratio * ratio)
        return Predictions(values, lower, upper, confidence)


class PublishedModel(NamedTuple):
    """A version as it was read from the volume, its files verified."""

    directory: Path  # for messages
    manifest: Manifest
    artifact: bytes


def load_model(directory: Path) -> LoadedModel:
    """Load and verify the version in `directory`; raise ModelRefused if it is damaged or does not fit."""
    return load_published(read_published(directory, MOST_BYTES), MOST_BYTES)


def read_published(directory: Path, most_bytes: int) -> PublishedModel:
    """Read the version in `directory`; raise ModelRefused if it is damaged or has more than `most_bytes`."""
    manifest = read_manifest(directory)
    return PublishedModel(directory, manifest, read_verified(directory, manifest, ARTIFACT, most_bytes))


def load_published(published: PublishedModel, most_bytes: int) -> LoadedModel:
    """Load a version; raise ModelRefused if it unpacks to more than `most_bytes` or does not fit."""
    directory, manifest, artifact = published
    interval = manifest.interval
    centre = interval.mean if isinstance(interval, LeastSquaresInterval) else [0.0] * len(manifest.features)
    if len(centre) != len(manifest.features):
        raise ModelRefused(
            f"{directory}: the interval is for {len(centre)} features, not {len(manifest.features)}"
        )
    estimator = load_estimator(directory / ARTIFACT, artifact, len(manifest.features), most_bytes)
    probes = probes_around(np.asarray(centre))
    linear = linear_predict(estimator, probes)
    predict = linear or quickest_predict(estimator, probes)
    return LoadedModel(
        manifest=manifest,
        version=manifest.version,
        digest=manifest.digest,
        n_features=len(manifest.features),
        row_independent=linear is not None or rows_are_independent(estimator, predict, probes),
        quick=linear is not None,
        _predict=predict,
        _deviation=predictive_deviation(interval),
    )
