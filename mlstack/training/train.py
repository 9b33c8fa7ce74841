"""Trains a model, a regressor or a classifier, and publishes it as a version."""

from __future__ import annotations

import logging

from mlstack.inference.artifact import Estimator, save_estimator
from mlstack.registry.columns import VALUES, Column
from mlstack.registry.manifest import Manifest
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.classifier import train_classifier
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator, is_classifier
from mlstack.training.regressor import train_regressor
from mlstack.training.task import Task, number_columns

logger = logging.getLogger(__name__)


def train_and_publish(
    store: ModelStore, table: FloatArray, config: TrainingConfig, data_digest: str, table_name: str
) -> int:
    """Train on `table` [n, k+1] of numbers, publish the model, log its metrics; return its version."""
    return publish(store, *train(table, config, data_digest, table_name))


def publish(store: ModelStore, estimator: Estimator, manifest: Manifest) -> int:
    """Publish a trained model, log its metrics; return its version."""
    version_number = store.publish(manifest, lambda directory: save_estimator(estimator, directory, manifest))
    slopes = {name: value for name, value in manifest.coefficients.items() if name != "intercept"}
    linear = {"slope": slopes, "intercept": manifest.coefficients["intercept"]} if slopes else {}
    logger.info(
        "trained and published",
        extra={
            "model_version": version_number,
            "estimator": manifest.estimator_name,
            "rows": manifest.provenance.rows,
            **linear,
            **manifest.metrics,
        },
    )
    return version_number


def train(
    table: FloatArray,
    config: TrainingConfig,
    data_digest: str,
    table_name: str,
    columns: tuple[Column, ...] = (),
) -> tuple[Estimator, Manifest]:
    """Train on `table` [n, k+1], which is shuffled in place; raise TrainingRefused if that is impossible.

    Without `columns`, which describe the table and its target, all of them are numbers.
    """
    columns = columns or number_columns(table, (*config.features, config.target))
    task, estimator = Task(config, columns, data_digest, table_name), build_estimator(config)
    if is_classifier(estimator):
        return train_classifier(table, task, estimator)
    if task.target.kind != "number":
        raise TrainingRefused(
            f"{config.target}: holds {VALUES[task.target.kind]}, and {config.estimator} is a regressor, "
            "which predicts numbers: choose a classifier, such as sklearn.linear_model.LogisticRegression"
        )
    return train_regressor(table, task, estimator)
