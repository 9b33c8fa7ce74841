"""Loads a version of the model: its files are verified, and the quickest way to predict is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlstack.inference.answer_size import answer_bytes
from mlstack.inference.artifact import Estimator, load_estimator
from mlstack.inference.linear import linear_predict, linear_probabilities
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.plain_linear import read_plain_linear
from mlstack.inference.predictors import Predict, probe_rows
from mlstack.inference.row_independence import rows_are_independent
from mlstack.inference.trees import quickest_predict
from mlstack.registry.intervals import ConformalSets, LeastSquaresInterval, predictive_deviation
from mlstack.registry.layout import ARTIFACT
from mlstack.registry.manifest import Manifest, read_manifest, read_verified
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import ModelRefused

MOST_BYTES = 1 << 30  # of a version that this project's own steps load; servers have a limit of their own


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
