"""The quality gate's comparison for a version trained on a streamed table: one pass, nothing held."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.reading import DataDigest, read_blocks
from mlstack.evaluation.comparison import Comparison, compared, refuse_changed_table
from mlstack.evaluation.rival import find_rival
from mlstack.evaluation.scores import verdict_on
from mlstack.evaluation.value_scores import ValueScores, value_scores
from mlstack.inference.loading import load_model
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
    current, columns = find_rival(store, version, manifest), manifest.table_columns
    measured = ValueScores(candidate, current.rival)
    evaluated = _Pass(DataDigest(source.table, columns), columns, source.test_fraction, measured)
    read_blocks(connection, source.table, columns, evaluated.add)
    refuse_changed_table(manifest, version, evaluated.digest.hexdigest())
    training, holdout = evaluated.rows.training, evaluated.rows.holdout
    offset = float(holdout.statistics.mean[-1] - training.statistics.mean[-1])
    variance = holdout.statistics.target_variance
    scores = value_scores(measured, current, math.sqrt(variance + offset**2), math.sqrt(variance))
    shown, held_out = Dataset(training.sample.rows()), Dataset(holdout.sample.rows())
    return compared(candidate, current, verdict_on(scores, tolerance), shown, held_out)


class _Pass:
    """What one pass over the table collects."""

    def __init__(
        self, digest: DataDigest, columns: Sequence[Column], test_fraction: float, measured: ValueScores
    ) -> None:
        self.digest, self._measured = digest, measured
        self.rows = StreamedTable(len(columns), test_fraction)

    def add(self, block: FloatArray) -> None:
        rows = np.ascontiguousarray(block, dtype=np.float64)
        self.digest.update(rows)
        holdout = Dataset(self.rows.add(rows))
        self._measured.add(holdout.x, holdout.y)
