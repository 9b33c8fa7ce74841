"""The quality gate's comparison for a classifier, by log loss."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlstack.evaluation.class_scores import class_answers, metrics_of, scores_beside, shared_rows
from mlstack.evaluation.rival import Found
from mlstack.evaluation.scores import Scores
from mlstack.inference.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.training.class_metrics import class_frequencies, log_loss
from mlstack.training.classes import class_positions
from mlstack.training.splitting import Dataset, split_stratified


class ClassComparison(NamedTuple):
    """The scores, and the data that they are based on."""

    scores: Scores
    training: Dataset  # the last column is the class's position in the manifest's classes
    holdout: Dataset


def compare_classes(candidate: LoadedModel, current: Found, table: FloatArray) -> ClassComparison:
    """Compare on the hold-out of `table` [n, k+1], which is shuffled in place."""
    manifest, classes = candidate.manifest, candidate.classes
    table[:, -1] = class_positions(table[:, -1], classes)
    training, holdout = split_stratified(table, manifest.provenance.test_fraction)
    actual = holdout.y.astype(np.intp)
    frequencies = class_frequencies(training.y.astype(np.intp), len(classes))
    answers = class_answers(candidate, holdout.x, actual)
    against, why_not = None, current.not_compared
    if current.rival is not None:
        shared = shared_rows(current.rival, holdout.x, actual)
        why_not = current.why_not(len(shared.encoded.rows), len(actual))
        against = None if why_not else scores_beside(current.rival, answers, shared, actual)
    scores = Scores(
        deciding="log_loss",
        rows=len(actual),
        metrics=metrics_of(answers),
        baseline=log_loss(actual, np.broadcast_to(frequencies, (len(actual), len(classes)))),
        rounding=1e-9,
        against=against,
        not_compared=why_not,
    )
    return ClassComparison(scores, training, holdout)
