"""The quality gate's comparison for a classifier, by log loss."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mlstack.evaluation.scores import Losses, verdict_on_classes
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from mlstack.training.class_metrics import class_frequencies, log_loss, probabilities_in_blocks
from mlstack.training.classes import class_positions
from mlstack.training.splitting import Dataset, split_stratified


class ClassComparison(NamedTuple):
    """The verdict, and the data that it is based on."""

    evaluation: Evaluation
    training: Dataset  # the last column is the class's position in the manifest's classes
    holdout: Dataset


def compare_classes(
    candidate: LoadedModel, current: LoadedModel | None, table: FloatArray, tolerance: float
) -> ClassComparison:
    """Compare on the hold-out of `table` [n, k+1], which is shuffled in place."""
    manifest, classes = candidate.manifest, candidate.classes
    table[:, -1] = class_positions(table[:, -1], classes)
    training, holdout = split_stratified(table, manifest.provenance.test_fraction)
    actual = holdout.y.astype(np.intp)
    frequencies = class_frequencies(training.y.astype(np.intp), len(classes))
    found = _probabilities(candidate, holdout.x)
    rival = _probabilities(current, holdout.x) if current else None
    losses = Losses(
        rows=len(actual),
        log_loss=math.inf if found is None else log_loss(actual, found),
        baseline=log_loss(actual, np.broadcast_to(frequencies, (len(actual), len(classes)))),
        current=None if rival is None else log_loss(actual, rival),
    )
    return ClassComparison(verdict_on_classes(losses, current, tolerance), training, holdout)


def _probabilities(model: LoadedModel, x: FloatArray) -> FloatArray | None:
    try:
        return probabilities_in_blocks(lambda rows: model.classify(rows).probabilities, x)
    except PredictionOverflow:
        return None
