"""The reference of the drift monitor: what the current model was trained on, read in one pass.

A sample of the rows is kept, so that memory does not grow with the table. Hold-out rows belong to it: a model
predicts the rows it was fitted to more widely than new ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlstack.data.database import connected
from mlstack.data.reading import DataDigest, read_blocks
from mlstack.drift.categories import CategoryReference
from mlstack.drift.statistics import Reference
from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import DataRefused
from mlstack.training.splitting import RANDOM_STATE
from mlstack.training.streaming import Sample

PREDICTION = "prediction"
_REFERENCE_ROWS = 100_000
_REFERENCE_CELLS = 1 << 22


@dataclass(frozen=True)
class TrainingData:
    """A version's training data: a reference for each feature and for its predictions, and the ranges."""

    columns: tuple[Reference | CategoryReference, ...]  # the features in order, then the predictions
    low: FloatArray  # [k]
    high: FloatArray  # [k]
    rows: int
    unchanged: bool  # the table still holds exactly the rows that the version was trained on


def read_training_data(url: str, model: LoadedModel) -> TrainingData:
    """Read the training data of `model`; raise a Refusal if it cannot be read."""
    source = model.manifest.provenance
    columns = model.manifest.table_columns
    collected = _Pass(DataDigest(source.table, columns), model.n_features)
    with connected(url) as connection:
        read_blocks(connection, source.table, columns, collected.add)
    if collected.rows < 2:
        raise DataRefused(f"table {source.table} has no training rows any more: nothing to compare with")
    sample = np.ascontiguousarray(collected.sample.rows())
    numbers = [column.kind == "number" for column in model.columns]
    return TrainingData(
        columns=(*map(_reference, model.columns, sample.T), _of_predictions(model, sample)),
        low=np.where(numbers, collected.low, 0.0),  # only an unseen category has a lower code
        high=np.where(numbers, collected.high, np.inf),
        rows=collected.rows,
        unchanged=collected.digest.hexdigest() == source.data,
    )


class _Pass:
    """What one pass over the table collects; the target, the last column, only enters the digest."""

    def __init__(self, digest: DataDigest, features: int) -> None:
        self.digest, self.rows = digest, 0
        self.low, self.high = np.full(features, np.inf), np.full(features, -np.inf)
        self.sample = Sample(features, min(_REFERENCE_ROWS, _REFERENCE_CELLS // features))
        self._random = np.random.default_rng(RANDOM_STATE)

    def add(self, block: FloatArray) -> None:
        table = np.ascontiguousarray(block, dtype=np.float64)
        self.digest.update(table)
        rows = table[:, :-1]
        self.rows += len(rows)
        self.low = np.fmin(self.low, np.fmin.reduce(rows))  # fmin and fmax ignore NaN
        self.high = np.fmax(self.high, np.fmax.reduce(rows))
        self.sample.add(rows, self._random.integers(2**64, size=len(rows), dtype=np.uint64))


def _reference(column: Column, values: FloatArray) -> Reference | CategoryReference:
    if column.kind == "number":
        return Reference.of(column.name, values, column.nullable)
    return CategoryReference.of(column, values)


def _of_predictions(model: LoadedModel, sample: FloatArray) -> Reference | CategoryReference:
    if model.classes:
        positions = model.classify(sample).likeliest.astype(np.float64)
        return CategoryReference.of_classes(PREDICTION, model.classes, positions)
    return Reference.of(PREDICTION, model.predict(sample).values)
