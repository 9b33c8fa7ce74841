"""Metrics of a classifier on the hold-out, and the same of class frequencies as its baseline."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.statistics import blocks

Positions = npt.NDArray[np.intp]  # of classes, [n]
_LEAST = float(np.finfo(np.float64).eps)  # a true class of probability 0 costs 36, not infinitely much


def probabilities_in_blocks(predict: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
    """Return probabilities [n, c] of rows x [n, k]; the memory for temporary arrays is bounded."""
    parts = [np.asarray(predict(np.ascontiguousarray(x[block]))) for block in blocks(len(x))]
    return np.concatenate(parts).astype(np.float64, copy=False)


def class_frequencies(y: Positions, classes: int) -> FloatArray:
    """Return the share of each class [c] among y."""
    return np.bincount(y, minlength=classes) / len(y)


def log_loss(y: Positions, probabilities: FloatArray) -> float:
    """Return the mean of -log p of the true class, for probabilities [n, c]."""
    found = probabilities[np.arange(len(y)), y]
    return float(-np.mean(np.log(np.clip(found, _LEAST, 1.0))))


def brier_score(y: Positions, probabilities: FloatArray) -> float:
    """Return the mean of Σ (p - true)² over the classes; with two classes of one of them, as is usual."""
    errors = np.square(probabilities)
    found = probabilities[np.arange(len(y)), y]
    total = float(np.mean(errors.sum(axis=1) - 2 * found + 1))
    return total / 2 if probabilities.shape[1] == 2 else total


def classifier_metrics(y: Positions, probabilities: FloatArray, frequencies: FloatArray) -> dict[str, float]:
    """Return the metrics of probabilities [n, c] on the hold-out; frequencies [c] are of training.

    baseline_… is the same metric of always predicting the frequencies, so always the most frequent class.
    """
    baseline = np.broadcast_to(frequencies, probabilities.shape)
    likeliest = np.full(len(y), frequencies.argmax())
    found = class_scores(y, probabilities) | {
        "baseline_accuracy": float(np.mean(y == likeliest)),
        "baseline_balanced_accuracy": _balanced_accuracy(y, likeliest, len(frequencies)),
        "baseline_log_loss": log_loss(y, baseline),
        "baseline_roc_auc": 0.5,  # what is the same for every row puts none before another
        "baseline_brier": brier_score(y, baseline),
    }
    if not all(math.isfinite(value) for value in found.values()):
        raise TrainingRefused("the model's probabilities on the hold-out are not finite numbers")
    return found


def class_scores(y: Positions, probabilities: FloatArray) -> dict[str, float]:
    """Return the metrics of probabilities [n, c]; no roc_auc if a single class is among y."""
    likeliest, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    found = {
        "accuracy": float(np.mean(y == likeliest)),
        "balanced_accuracy": _balanced_accuracy(y, likeliest, classes),
        "log_loss": log_loss(y, probabilities),
    }
    if len(np.unique(y)) > 1:
        found["roc_auc"] = _roc_auc(y, probabilities)
    return found | {"brier": brier_score(y, probabilities)}


def _balanced_accuracy(y: Positions, likeliest: Positions, classes: int) -> float:
    """Return the mean, over the classes among y, of the share of their rows that are right."""
    counts = np.bincount(y, minlength=classes)
    right = np.bincount(y[y == likeliest], minlength=classes)
    return float(np.mean(right[counts > 0] / counts[counts > 0]))


def _roc_auc(y: Positions, probabilities: FloatArray) -> float:
    """Return the area under the ROC curve: of the second of two classes, or the mean of one-vs-rest."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - takes seconds

    classes = [1] if probabilities.shape[1] == 2 else np.unique(y).tolist()
    return float(np.mean([roc_auc_score(y == each, probabilities[:, each]) for each in classes]))
