"""Computes the error of each served version from the true values of its predictions."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from mlstack.live.truths import Classified, Regression, Truths
from mlstack.registry.manifest import read_manifest
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused

_LEAST_PROBABILITY = 1e-15  # as scikit-learn's log_loss: the logarithm of 0 is not a number


class LiveError(msgspec.Struct, frozen=True):
    """Measures of one version on `rows` rows with a true value, and what they were on the hold-out."""

    model_version: int
    rows: int
    unusable: int  # true values that are not of the kind that the version predicts
    measures: dict[str, float]
    holdout: dict[str, float]  # none if the version was deleted


def live_errors(truths: Mapping[int, Truths], store: ModelStore) -> tuple[LiveError, ...]:
    """Return the measures of each version, the newest first."""
    found = []
    for version, of_version in sorted(truths.items(), reverse=True):
        if of_version.classified.correct:
            rows, measures = len(of_version.classified.correct), _of_classes(of_version.classified)
        else:
            rows, measures = len(of_version.regression.actual), _of_numbers(of_version.regression)
        holdout = {name: value for name, value in _holdout(store, version).items() if name in measures}
        found.append(LiveError(version, rows, of_version.unusable, measures, holdout))
    return tuple(found)


def _of_numbers(rows: Regression) -> dict[str, float]:
    if not rows.actual:
        return {}
    actual = np.array(rows.actual)
    errors = actual - np.array(rows.predicted)
    covered = (np.array(rows.low) <= actual) & (actual <= np.array(rows.high))
    with np.errstate(over="ignore"):
        rmse = float(np.sqrt(np.mean(errors**2)))
    return {"rmse": rmse, "mae": float(np.mean(np.abs(errors))), "coverage": float(covered.mean())}


def _of_classes(rows: Classified) -> dict[str, float]:
    accuracy = float(np.mean(rows.correct))
    likelihood = np.clip(rows.likelihood, _LEAST_PROBABILITY, 1.0)
    return {
        "log_loss": float(-np.mean(np.log(likelihood))),
        "accuracy": accuracy,
        "coverage": float(np.mean(rows.covered)),
        "overconfidence": float(np.mean(rows.confidence)) - accuracy,  # 0 if calibrated
    }


def _holdout(store: ModelStore, version: int) -> dict[str, float]:
    """Return the manifest's metrics, and what the quality gate has measured besides, such as coverage."""
    try:
        manifest = read_manifest(store.path(version))
    except ModelRefused:
        return {}
    return store.evaluation(version).metrics | manifest.metrics
