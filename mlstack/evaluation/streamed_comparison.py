"""The quality gate's comparison for a version trained on a streamed table: one pass, nothing held."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.reading import DataDigest, read_blocks
from mlstack.evaluation.comparison import (
    Comparison,
    comparable_current,
    refuse_changed_table,
)
from mlstack.evaluation.scores import Errors, verdict_on
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.training.splitting import Dataset
from mlstack.training.streaming import StreamedTable


def compare_streamed(store: ModelStore, version: int, connection: Connection, tolerance: float) -> Comparison:
    """Compare `version` with the baseline and the current version on its hold-out; write nothing.

    Raise QualityGateFailed if the table has changed since, ModelRefused if the version cannot be loaded.
    """
    candidate = load_model(store.loadable(version))
    manifest, source = candidate.manifest, candidate.manifest.provenance
    current = comparable_current(store, version, manifest)
    columns = manifest.table_columns
    models = [model for model in (candidate, current) if model is not None]
    evaluated = _Pass(DataDigest(source.table, columns), columns, source.test_fraction, models)
    read_blocks(connection, source.table, columns, evaluated.add)
    refuse_changed_table(manifest, version, evaluated.digest.hexdigest())
    training, holdout = evaluated.rows.training, evaluated.rows.holdout
    offset = float(holdout.statistics.mean[-1] - training.statistics.mean[-1])
    variance, count = holdout.statistics.target_variance, holdout.statistics.rows
    rmse, *others = (math.sqrt(squares / count) for squares in evaluated.squares)
    errors = Errors(
        rows=count,
        rmse=rmse,
        baseline=math.sqrt(variance + offset**2),
        current=others[0] if others else None,
        deviation=math.sqrt(variance),
    )
    shown, held_out = Dataset(training.sample.rows()), Dataset(holdout.sample.rows())
    return Comparison(verdict_on(errors, current, tolerance), candidate, shown, held_out)


class _Pass:
    """What one pass over the table collects."""

    def __init__(
        self, digest: DataDigest, columns: Sequence[Column], test_fraction: float, models: list[LoadedModel]
    ) -> None:
        self.digest, self._models = digest, models
        self.rows = StreamedTable(len(columns), test_fraction)
        self.squares = [0.0] * len(models)

    def add(self, block: FloatArray) -> None:
        rows = np.ascontiguousarray(block, dtype=np.float64)
        self.digest.update(rows)
        holdout = Dataset(self.rows.add(rows))
        for number, model in enumerate(self._models):
            self.squares[number] += _sum_of_squares(model, holdout)


def _sum_of_squares(model: LoadedModel, rows: Dataset) -> float:
    if not len(rows.y):
        return 0.0
    try:
        errors = rows.y - model.predict(np.ascontiguousarray(rows.x)).values
    except PredictionOverflow:
        return math.inf
    return float(errors @ errors)
