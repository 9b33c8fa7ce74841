"""Compares a version, on its hold-out rows, with the mean baseline and with the version that is served."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlstack.evaluation.class_comparison import compare_classes
from mlstack.evaluation.holdout import PredictedClasses, PredictedValues, predict_holdout, predict_rows
from mlstack.evaluation.rival import Found, Rival, find_rival
from mlstack.evaluation.scores import verdict_on
from mlstack.evaluation.value_scores import ValueScores, value_scores
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.manifest import Manifest
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import QualityGateFailed
from mlstack.training.splitting import Dataset, split_in_place
from mlstack.training.statistics import blocks


@dataclass(frozen=True)
class Comparison:
    """The verdict, and the data that the report shows."""

    evaluation: Evaluation
    candidate: LoadedModel
    training: Dataset
    holdout: Dataset  # for a classifier the last column is the class's position
    rival: Rival | None = None  # the current version, if it takes all rows of the hold-out

    @cached_property
    def predicted(self) -> PredictedValues | PredictedClasses:
        """What the candidate says of the hold-out: the report and the picture show it."""
        return predict_holdout(self.candidate, self.holdout)

    @cached_property
    def former(self) -> PredictedValues | PredictedClasses | None:
        """What the current version says of the same rows; None if it does not take all of them."""
        if self.rival is None:
            return None
        rows = self.rival.encode(self.predicted.rows).rows
        return predict_rows(self.rival.model, rows, self.predicted.actual)


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
    current = find_rival(store, version, manifest)
    if manifest.classes:
        found = compare_classes(candidate, current, table)
        return compared(
            candidate, current, verdict_on(found.scores, tolerance), found.training, found.holdout
        )
    training, holdout = split_in_place(table, manifest.provenance.test_fraction)
    measured = ValueScores(candidate, current.rival)
    for block in blocks(len(holdout.y)):
        measured.add(holdout.x[block], holdout.y[block])
    baseline = float(np.sqrt(np.mean((holdout.y - training.y.mean()) ** 2)))
    scores = value_scores(measured, current, baseline, float(holdout.y.std()))
    return compared(candidate, current, verdict_on(scores, tolerance), training, holdout)


def compared(
    candidate: LoadedModel, current: Found, evaluation: Evaluation, training: Dataset, holdout: Dataset
) -> Comparison:
    """Return the comparison; the current version's predictions can be shown if it takes all rows."""
    rival = current.rival
    whole = evaluation.current_rows == evaluation.rows and len(evaluation.current_metrics) > 0
    if rival is not None and (rival.shared is not None or not whole):
        rival = None
    return Comparison(evaluation, candidate, training, holdout, rival)


def refuse_changed_table(manifest: Manifest, version: int, digest: str) -> None:
    """Raise QualityGateFailed if `digest` is not that of the rows that the version was trained on."""
    if digest != manifest.provenance.data:
        raise QualityGateFailed(
            f"the table changed since version {version} was trained: run model-train again"
        )
