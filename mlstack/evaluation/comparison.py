"""Compares a version, on its hold-out rows, with the mean baseline and with the version that is served."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlstack.registry.loaded_model import LoadedModel, load_model
from mlstack.registry.manifest import Manifest
from mlstack.registry.predictors import PredictionOverflow
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import ModelRefused, QualityGateFailed
from mlstack.training.splitting import Dataset, split_in_place
from mlstack.training.statistics import sum_of_squares

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """The verdict, and the data that the report shows."""

    evaluation: Evaluation
    candidate: LoadedModel
    training: Dataset
    holdout: Dataset


class Errors(NamedTuple):
    """Root mean squared errors on the hold-out: of the candidate, of the mean, of the current version."""

    rows: int
    rmse: float
    baseline: float
    current: float | None
    deviation: float  # of the target


def compare_on_holdout(
    store: ModelStore, version: int, table: FloatArray, digest: str, tolerance: float
) -> Comparison:
    """Compare `version` with the baseline and the current version on its hold-out; write nothing.

    `table` holds the rows it was trained on. Raise QualityGateFailed if their `digest` is not
    the one in the manifest, ModelRefused if the version cannot be loaded.
    """
    candidate = load_model(store.path(version))
    manifest = candidate.manifest
    refuse_changed_table(manifest, version, digest)
    training, holdout = split_in_place(table, manifest.provenance.test_fraction)
    current = comparable_current(store, version, manifest)
    errors = Errors(
        rows=len(holdout.y),
        rmse=_rmse(candidate, holdout),
        baseline=float(np.sqrt(np.mean((holdout.y - training.y.mean()) ** 2))),
        current=_rmse(current, holdout) if current else None,
        deviation=float(holdout.y.std()),
    )
    return Comparison(verdict_on(errors, current, tolerance), candidate, training, holdout)


def refuse_changed_table(manifest: Manifest, version: int, digest: str) -> None:
    """Raise QualityGateFailed if `digest` is not that of the rows that the version was trained on."""
    if digest != manifest.provenance.data:
        raise QualityGateFailed(
            f"the table changed since version {version} was trained: run model-train again"
        )


def verdict_on(errors: Errors, current: LoadedModel | None, tolerance: float) -> Evaluation:
    """Return the verdict that the errors on the hold-out give, with them as its evidence."""
    reason = _objection(errors, tolerance)
    evidence = Evaluation(
        rows=errors.rows,
        rmse=errors.rmse if math.isfinite(errors.rmse) else None,
        baseline_rmse=errors.baseline,
        current_version=current.version if current else None,
        current_rmse=errors.current,
    )
    return evidence.with_verdict("rejected" if reason else "promoted", reason or "passed the quality gate")


def _rmse(model: LoadedModel, rows: Dataset) -> float:
    try:
        squares = sum_of_squares(lambda x: model.predict(x).values, rows.x, rows.y)
    except PredictionOverflow:
        return math.inf
    return math.sqrt(squares / len(rows.y))


def comparable_current(store: ModelStore, version: int, manifest: Manifest) -> LoadedModel | None:
    """Return the current version if it predicts the same target from the same features, else None."""
    current = store.current()
    if current is None or current == version:
        return None
    try:
        model = load_model(store.path(current))
    except ModelRefused as refused:
        logger.warning("the current version is not compared", extra={"reason": str(refused)})
        return None
    same = (model.features, model.target) == (manifest.features, manifest.target)
    return model if same else None


def _objection(errors: Errors, tolerance: float) -> str:
    """Return why the candidate must not be served, "" if it may be served."""
    rmse, baseline, current = errors.rmse, errors.baseline, errors.current
    if not math.isfinite(rmse):
        return "its predictions are not finite numbers"
    if rmse >= baseline:
        return f"RMSE {rmse:.4g} is no better than {baseline:.4g} of always predicting the mean"
    rounding = 1e-9 * errors.deviation  # on data without noise, the RMSE of both is rounding error
    if current is not None and rmse > current * (1 + tolerance) + rounding:
        return (
            f"RMSE {rmse:.4g} is worse than {current:.4g} of the current version by more than {tolerance:.0%}"
        )
    return ""
