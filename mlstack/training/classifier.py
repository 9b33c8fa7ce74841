"""Trains a classifier: on the position of each row's class, with prediction sets from the hold-out."""

from __future__ import annotations

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.registry.manifest import Manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.class_metrics import class_frequencies, classifier_metrics, probabilities_in_blocks
from mlstack.training.classes import class_positions, find_classes
from mlstack.training.fitting import fit
from mlstack.training.intervals import conformal_sets
from mlstack.training.preprocessing import with_preprocessing
from mlstack.training.splitting import split_stratified
from mlstack.training.task import Task


def train_classifier(table: FloatArray, task: Task, classifier: Estimator) -> tuple[Estimator, Manifest]:
    """Train on `table` [n, k+1], which is shuffled in place, its last column replaced by class positions."""
    name = type(classifier).__name__
    classes = find_classes(table[:, -1], task.target, task.config.max_categories)
    table[:, -1] = class_positions(table[:, -1], classes)
    training, holdout = split_stratified(table, task.config.test_fraction)
    estimator = with_preprocessing(classifier, task.features)
    fit(estimator, name, training.x, training.y.astype(np.intp))
    probabilities, actual = _probabilities(estimator, name, holdout.x), holdout.y.astype(np.intp)
    if probabilities.shape != (len(actual), len(classes)):
        raise TrainingRefused(f"{name} gives probabilities {probabilities.shape} for {len(classes)} classes")
    frequencies = class_frequencies(training.y.astype(np.intp), len(classes))
    manifest = task.manifest(
        len(table),
        "stratified",
        classifier_metrics(actual, probabilities, frequencies),
        conformal_sets(probabilities[np.arange(len(actual)), actual]),
        classes=classes,
    )
    return estimator, manifest


def _probabilities(estimator: Estimator, name: str, x: FloatArray) -> FloatArray:
    try:
        found = probabilities_in_blocks(estimator.predict_proba, x)
    except (ValueError, ArithmeticError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingRefused(f"{name} gives no probabilities for the hold-out: {reason}") from error
    if not np.isfinite(found).all():
        raise TrainingRefused("the model's probabilities on the hold-out are not finite numbers")
    return found
