"""A published model, loaded: verified, immutable, safe to share between threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlstack.registry.artifact import load_estimator
from mlstack.registry.intervals import LeastSquaresInterval, Spread, spread
from mlstack.registry.manifest import Manifest, read_manifest, verify_file
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


class Predictions(NamedTuple):
    """One entry per row: ŷ, its 95 % prediction interval, the share of the target's variance explained."""

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    confidence: FloatArray


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A version of the model, ready to answer."""

    manifest: Manifest
    version: int
    digest: str  # SHA-256 that names everything an answer depends on
    n_features: int  # numbers in a row
    row_independent: bool  # a row's answer is the same to the last bit whatever rows it is asked with
    quick: bool  # microseconds a call: no need for a thread
    _predict: Predict = field(repr=False)
    _spread: Spread = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of a row, in order."""
        return self.manifest.features

    @property
    def target(self) -> str:
        """Name of what is predicted."""
        return self.manifest.target

    @property
    def estimator_name(self) -> str:
        """Class of the estimator, such as LinearRegression."""
        return self.manifest.estimator_name

    @property
    def metrics(self) -> dict[str, float]:
        """What the hold-out said when the version was trained."""
        return self.manifest.metrics

    def predict(self, rows: FloatArray) -> Predictions:
        """Answer float64 rows [n, n_features]; raise PredictionOverflow where an answer is not finite."""
        with np.errstate(all="ignore"):
            values = self._predict(rows)
            spread = self._spread(rows)
            margin = spread * self.manifest.interval.quantile
            lower, upper = values - margin, values + margin
            # The bounds hold ŷ between them: if both are finite, so is everything.
            if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
                raise PredictionOverflow("the input is so large that the prediction is not a finite number")
            ratio = spread / np.sqrt(self.manifest.interval.target_variance)
            confidence = np.maximum(0.0, 1.0 - ratio * ratio)
        return Predictions(values, lower, upper, confidence)


def load_model(directory: Path) -> LoadedModel:
    """Load the version in `directory`; raise ModelRefused, one readable line, if anything is wrong."""
    manifest = read_manifest(directory)
    path = verify_file(directory, manifest, ARTIFACT)
    interval = manifest.interval
    centre = interval.mean if isinstance(interval, LeastSquaresInterval) else [0.0] * len(manifest.features)
    if len(centre) != len(manifest.features):
        raise ModelRefused(
            f"{directory}: the interval is for {len(centre)} features, not {len(manifest.features)}"
        )
    estimator = load_estimator(path, len(manifest.features))
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
        _spread=spread(interval),
    )
