"""Metrics of a classifier on the hold-out, beside those of its rival."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlstack.evaluation.rival import Rival, RivalRows
from mlstack.evaluation.scores import Against
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.predictors import PredictionOverflow
from mlstack.runtime.arrays import FloatArray
from mlstack.training.class_metrics import Positions, class_scores
from mlstack.training.statistics import blocks


class Answers(NamedTuple):
    """What a classifier says of rows, an entry per row."""

    actual: Positions
    probabilities: FloatArray  # [m, c]
    covered: npt.NDArray[np.bool_]  # whether the prediction set holds the actual class
    set_sizes: Positions  # classes in it

    def chosen(self, rows: npt.NDArray[np.bool_]) -> Answers:
        """Return the answers to the rows [m]."""
        if rows.all():
            return self
        return Answers(self.actual[rows], self.probabilities[rows], self.covered[rows], self.set_sizes[rows])

    def given(self, classes: Positions) -> Answers:
        """Return the answers given that the class is one of `classes`, as all actual ones are."""
        among = self.probabilities[:, classes]
        total = among.sum(axis=1, keepdims=True)
        share = among / np.maximum(total, np.finfo(np.float64).tiny)
        return self._replace(actual=np.searchsorted(classes, self.actual), probabilities=share)


def class_answers(model: LoadedModel, x: FloatArray, actual: Positions) -> Answers | None:
    """Return what `model` says of rows x [m, k]; None if a probability is not a finite number."""
    parts = []
    try:
        for block in blocks(len(x)):
            found, true = model.classify(np.ascontiguousarray(x[block])), actual[block]
            covered = found.members[np.arange(len(true)), true]
            parts.append(Answers(true, found.probabilities, covered, found.members.sum(axis=1)))
    except PredictionOverflow:
        return None
    return Answers(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def metrics_of(answers: Answers | None) -> dict[str, float]:
    """Return the metrics of training and, of the prediction sets, coverage and mean number of classes.

    overconfidence is the mean of the largest probabilities minus the accuracy: 0 if calibrated.
    """
    if answers is None:
        return {"log_loss": math.inf}
    found = class_scores(answers.actual, answers.probabilities)
    confidence = float(answers.probabilities.max(axis=1).mean())
    return found | {
        "overconfidence": confidence - found["accuracy"],
        "coverage": float(answers.covered.mean()),
        "set_size": float(answers.set_sizes.mean()),
    }


class SharedRows(NamedTuple):
    """Rows that both versions take."""

    encoded: RivalRows
    chosen: npt.NDArray[np.bool_]  # [m]: which rows of the hold-out they are


def shared_rows(rival: Rival, x: FloatArray, actual: Positions) -> SharedRows:
    """Return those of the rows x [m, k] that both versions take, of the classes that both know."""
    known = np.isin(actual, rival.shared[0]) if rival.shared else np.ones(len(actual), dtype=np.bool_)
    encoded, both = rival.encode(x[known]), known.copy()
    both[known] = encoded.taken
    return SharedRows(encoded, both)


def scores_beside(rival: Rival, own: Answers | None, shared: SharedRows, actual: Positions) -> Against:
    """Return the metrics of both versions on the shared rows; `own` is what the candidate says of all."""
    encoded = shared.encoded
    own, true = own.chosen(shared.chosen) if own else None, actual[shared.chosen]
    if rival.shared is None:
        current = class_answers(rival.model, encoded.rows, true)
    else:
        mine, theirs = rival.shared
        own = own.given(mine) if own else None
        current = class_answers(rival.model, encoded.rows, theirs[np.searchsorted(mine, true)])
        current = current.given(theirs) if current else None
    metrics = metrics_of(own), metrics_of(current)
    own_figure = rival.own_figure("log_loss")
    return Against(rival.model.version, len(true), rival.scope, encoded.unseen, *metrics, own_figure)
