"""A loaded version of the model: verified, immutable, safe to share between threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlstack.inference.answer_size import answer_bytes
from mlstack.inference.artifact import Estimator, load_estimator
from mlstack.inference.linear import linear_predict, linear_probabilities
from mlstack.inference.plain_linear import read_plain_linear
from mlstack.inference.predictors import (
    Predict,
    PredictionOverflow,
    probe_rows,
)
from mlstack.inference.row_independence import rows_are_independent
from mlstack.inference.trees import quickest_predict
from mlstack.registry.columns import Class, Column
from mlstack.registry.intervals import (
    ConformalSets,
    Deviation,
    LeastSquaresInterval,
    predictive_deviation,
)
from mlstack.registry.layout import ARTIFACT
from mlstack.registry.manifest import Manifest, read_manifest, read_verified
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import ModelRefused

MOST_BYTES = 1 << 30  # of a version that this project's own steps load; servers have a limit of their own


class Predictions(NamedTuple):
    """Arrays [n], an entry per row: ŷ, its 95 % prediction interval, the explained share of y's variance."""

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    confidence: FloatArray


class Classification(NamedTuple):
    """An entry per row: each class's probability, the likeliest class, and the 95 % prediction set."""

    probabilities: FloatArray  # [n, c]
    likeliest: npt.NDArray[np.intp]  # [n]: positions in the manifest's classes
    members: npt.NDArray[np.bool_]  # [n, c]: whether the class belongs to the row's prediction set


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A version of the model with what is needed to predict."""

    manifest: Manifest
    version: int
    digest: str  # SHA-256 over everything that a prediction depends on
    n_features: int
    plain: bool  # every value of a row is a number
    answer_bytes: int  # the most that the answer to a row has as JSON
    row_independent: bool  # a row's prediction is bit-identical, whatever other rows are in the call
    quick: bool  # a call takes microseconds, so it may run on the event loop
    _predict: Predict = field(repr=False)
    _deviation: Deviation = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of a row."""
        return self.manifest.features

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a row, in order."""
        return self.manifest.schema

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes of a classifier, in the order of its probabilities; none of a regressor."""
        return self.manifest.classes

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
        """The metrics on the hold-out, such as rmse or log_loss."""
        return self.manifest.metrics

    def classify(self, rows: FloatArray) -> Classification:
        """Classify encoded rows [n, n_features]; raise PredictionOverflow if a probability is not finite."""
        sets = self.manifest.interval
        assert isinstance(sets, ConformalSets)
        with np.errstate(all="ignore"):
            probabilities = self._predict(rows)
        if not np.isfinite(probabilities).all():
            raise PredictionOverflow("the input is so large that the probabilities are not finite numbers")
        likeliest = probabilities.argmax(axis=1)
        members = probabilities >= sets.threshold
        members[np.arange(len(rows)), likeliest] = True
        return Classification(probabilities, likeliest, members)

    def predict(self, rows: FloatArray) -> Predictions:
        """Predict encoded rows [n, n_features]; raise PredictionOverflow if a prediction is not finite."""
        interval = self.manifest.interval
        assert not isinstance(interval, ConformalSets)
        with np.errstate(all="ignore"):
            values = self._predict(rows)
            deviation = self._deviation(rows)
            margin = deviation * interval.quantile
            lower, upper = values - margin, values + margin
            # lower <= ŷ <= upper, so ŷ is finite if both bounds are.
            if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
                raise PredictionOverflow("the input is so large that the prediction is not a finite number")
            ratio = deviation / np.sqrt(interval.target_variance)
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
    return load_plain(published, most_bytes) or _load_by_skops(published, most_bytes)


def load_plain(published: PublishedModel, most_bytes: int) -> LoadedModel | None:
    """Load a version without scikit-learn, or return None if that needs it.

    Raise ModelRefused if the parts of its manifest contradict each other.
    """
    directory, manifest, artifact = published
    _check_constants(directory, manifest)
    estimator: Any = read_plain_linear(artifact, manifest, most_bytes)
    if estimator is None:
        return None
    probes = probe_rows(manifest.schema, _centre(manifest))
    predict = linear_predict(estimator, probes)
    return _loaded(manifest, predict, estimator, probes, linear=True) if predict else None


def _load_by_skops(published: PublishedModel, most_bytes: int) -> LoadedModel:
    directory, manifest, artifact = published
    estimator = load_estimator(directory / ARTIFACT, artifact, manifest.schema, manifest.classes, most_bytes)
    probes = probe_rows(manifest.schema, _centre(manifest))
    linear = _linear(estimator, probes, len(manifest.classes))
    predict = linear or quickest_predict(estimator, probes, len(manifest.classes))
    return _loaded(manifest, predict, estimator, probes, linear=linear is not None)


def _loaded(
    manifest: Manifest, predict: Predict, estimator: Estimator, probes: FloatArray, *, linear: bool
) -> LoadedModel:
    return LoadedModel(
        manifest=manifest,
        version=manifest.version,
        digest=manifest.digest,
        n_features=len(manifest.features),
        plain=all(column.plain for column in manifest.schema),
        answer_bytes=answer_bytes(manifest.schema, manifest.classes),
        row_independent=rows_are_independent(estimator, predict, probes, by_row=linear),
        quick=linear,
        _predict=predict,
        _deviation=predictive_deviation(manifest.interval),
    )


def _linear(estimator: Estimator, probes: FloatArray, classes: int) -> Predict | None:
    if classes:
        return linear_probabilities(estimator, probes, classes)
    return linear_predict(estimator, probes)


def _centre(manifest: Manifest) -> FloatArray:
    interval = manifest.interval
    mean = interval.mean if isinstance(interval, LeastSquaresInterval) else [0.0] * len(manifest.features)
    return np.asarray(mean)


def _check_constants(directory: Path, manifest: Manifest) -> None:
    """Raise ModelRefused if the parts of the manifest contradict each other."""
    features, interval = len(manifest.features), manifest.interval
    if tuple(column.name for column in manifest.schema) != manifest.features:
        raise ModelRefused(f"{directory}: the columns are not those of its {features} features")
    if isinstance(interval, LeastSquaresInterval) and len(interval.mean) != features:
        raise ModelRefused(f"{directory}: the interval is for {len(interval.mean)} features, not {features}")
    if isinstance(interval, ConformalSets) != (len(manifest.classes) > 1):
        raise ModelRefused(f"{directory}: a classifier has classes and prediction sets, a regressor neither")
