"""Compares a version, on its hold-out rows, with the mean baseline and with the version that is served."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlstack.evaluation.class_comparison import compare_classes
from mlstack.evaluation.holdout import PredictedClasses, PredictedValues, predict_holdout
from mlstack.evaluation.scores import Errors, verdict_on
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.manifest import Manifest
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
    holdout: Dataset  # for a classifier the last column is the class's position

    @cached_property
    def predicted(self) -> PredictedValues | PredictedClasses:
        """What the candidate says of the hold-out: the report and the picture show it."""
        return predict_holdout(self.candidate, self.holdout)


def compare_on_holdout(
    store: ModelStore, version: int, table: FloatArray, digest: str, tolerance: float
) -> Comparison:
    """Compare `version` with the baseline and the current version on its hold-out; write nothing.

    `table` holds the rows it was trained on. Raise QualityGateFailed if their `digest` is not
    the one in the manifest, ModelRefused if the version cannot be loaded.
    """
    candidate = load_model(store.loadable(version))
    manifest = candidate.manifest
    refuse_changed_table(manifest, version, digest)
    current = comparable_current(store, version, manifest)
    if manifest.classes:
        found = compare_classes(candidate, current, table, tolerance)
        return Comparison(found.evaluation, candidate, found.training, found.holdout)
    training, holdout = split_in_place(table, manifest.provenance.test_fraction)
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


def _rmse(model: LoadedModel, rows: Dataset) -> float:
    try:
        squares = sum_of_squares(lambda x: model.predict(x).values, rows.x, rows.y)
    except PredictionOverflow:
        return math.inf
    return math.sqrt(squares / len(rows.y))


def comparable_current(store: ModelStore, version: int, manifest: Manifest) -> LoadedModel | None:
    """Return the current version if it predicts the same target from the same columns, else None."""
    current = store.current()
    if current is None or current == version:
        return None
    try:
        model = load_model(store.loadable(current))
    except ModelRefused as refused:
        logger.warning("the current version is not compared", extra={"reason": str(refused)})
        return None
    same = (model.target, model.classes) == (manifest.target, manifest.classes)
    return model if same and _takes(model, manifest) else None


def _takes(model: LoadedModel, manifest: Manifest) -> bool:
    """Return whether rows that are encoded for `manifest` mean the same to `model`."""
    if model.features != manifest.features:
        return False
    return all(
        mine.kind == theirs.kind and mine.categories == theirs.categories and mine.nullable >= theirs.nullable
        for mine, theirs in zip(model.columns, manifest.schema, strict=True)
    )
