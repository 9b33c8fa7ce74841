"""Reads a training table: into an array, or into statistics if it is long and the model needs no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.growing_table import GrowingTable
from mlstack.data.reading import DataDigest, read_blocks
from mlstack.data.table_columns import read_columns
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import DEFAULT_ESTIMATOR, TrainingConfig
from mlstack.training.splitting import HELD_ROWS
from mlstack.training.streaming import StreamedTable


@dataclass(frozen=True)
class TrainingInput:
    """The rows of a table, whole or streamed, and the digest of all of them."""

    digest: str
    rows: FloatArray | StreamedTable
    columns: tuple[Column, ...]  # of the rows, the target last


def read_training_input(connection: Connection, name: str, config: TrainingConfig) -> TrainingInput:
    """Read the features and the target of table `name`, in one pass once its columns are known."""
    columns = read_columns(connection, name, (*config.features, config.target), config.max_categories)
    collector = _Collector(name, columns, config)
    read_blocks(connection, name, columns, collector.add)
    rows = collector.streamed or collector.table.take()
    return TrainingInput(collector.digest.hexdigest(), rows, columns)


def needs_statistics_only(config: TrainingConfig, columns: Sequence[Column]) -> bool:
    """Return whether the model is least squares with an intercept, of plain numbers."""
    parameters = config.parameters
    plain = bool(parameters.get("fit_intercept", True)) and not parameters.get("positive", False)
    return config.estimator == DEFAULT_ESTIMATOR and plain and all(column.plain for column in columns)


class _Collector:
    def __init__(self, name: str, columns: Sequence[Column], config: TrainingConfig) -> None:
        self.digest = DataDigest(name, columns)
        self.table = GrowingTable(len(columns))
        self.streamed: StreamedTable | None = None
        self._columns, self._config = len(columns), config
        self._limit = HELD_ROWS if needs_statistics_only(config, columns) else float("inf")

    def add(self, block: FloatArray) -> None:
        rows = np.ascontiguousarray(block, dtype=np.float64)
        self.digest.update(rows)
        if self.streamed is not None:
            self.streamed.add(rows)
            return
        self.table.append(rows)
        if self.table.filled > self._limit:
            self.streamed = StreamedTable(self._columns, self._config.test_fraction)
            self.streamed.add_table(self.table.take())
            self.table = GrowingTable(self._columns)
