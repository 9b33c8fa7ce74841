"""Reads a training table in one pass: into an array, or into statistics if it is long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.column_values import with_values
from mlstack.data.growing_table import GrowingTable
from mlstack.data.reading import DataDigest, read_blocks
from mlstack.data.table_columns import begins_with_nulls, read_kinds
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import DEFAULT_ESTIMATOR, TrainingConfig
from mlstack.training.ranges import NotPlain, Ranges
from mlstack.training.splitting import HELD_ROWS
from mlstack.training.streaming import SHOWN, StreamedTable

MostRows = Callable[[Sequence[Column]], float]  # that are held as an array; a longer table is streamed


@dataclass(frozen=True)
class TrainingInput:
    """The rows of a table, whole or streamed, and the digest of all of them."""

    digest: str
    rows: FloatArray | StreamedTable
    columns: tuple[Column, ...]  # of the rows, the target last


def read_training_input(connection: Connection, name: str, config: TrainingConfig) -> TrainingInput:
    """Read the features and the target of table `name`, whole unless their statistics are enough."""

    def most_rows(columns: Sequence[Column]) -> float:
        return HELD_ROWS if needs_statistics_only(config, columns) else float("inf")

    return read_input(connection, name, config, most_rows)


def read_input(
    connection: Connection, name: str, config: TrainingConfig, most_rows: MostRows, sample: int = SHOWN
) -> TrainingInput:
    """Read a table; of one that is streamed, keep `sample` training rows.

    The range of plain numbers comes from the rows themselves. Only where there are other columns, or a value
    is missing or not finite, is it asked of PostgreSQL first, which scans the table once more.
    """
    columns = read_kinds(connection, name, (*config.features, config.target), config.max_categories)
    numbers = all(column.kind == "number" for column in columns)
    if numbers and not begins_with_nulls(connection, name, columns):
        with suppress(NotPlain):
            ranges, collector = Ranges(columns), _Collector(name, columns, config, most_rows, sample)
            read_blocks(connection, name, columns, lambda block: collector.add(ranges.checked(block)))
            return collector.input(ranges.columns())
    columns = tuple(with_values(connection, name, columns))
    collector = _Collector(name, columns, config, most_rows, sample)
    read_blocks(connection, name, columns, collector.add)
    return collector.input(columns)


def needs_statistics_only(config: TrainingConfig, columns: Sequence[Column]) -> bool:
    """Return whether the model is least squares with an intercept, of plain numbers."""
    parameters = config.parameters
    plain = bool(parameters.get("fit_intercept", True)) and not parameters.get("positive", False)
    return config.estimator == DEFAULT_ESTIMATOR and plain and all(column.plain for column in columns)


class _Collector:
    def __init__(
        self, name: str, columns: Sequence[Column], config: TrainingConfig, most_rows: MostRows, sample: int
    ) -> None:
        self._digest = DataDigest(name, columns)
        self._table = GrowingTable(len(columns))
        self._streamed: StreamedTable | None = None
        self._limit = most_rows(columns)
        self._new = partial(StreamedTable, len(columns), config.test_fraction, sample)

    def add(self, block: FloatArray) -> None:
        rows = np.ascontiguousarray(block, dtype=np.float64)
        self._digest.update(rows)
        if self._streamed is not None:
            self._streamed.add(rows)
            return
        self._table.append(rows)
        if self._table.filled > self._limit:
            self._streamed = self._new()
            self._streamed.add_table(self._table.take())
            self._table = GrowingTable(1)

    def input(self, columns: tuple[Column, ...]) -> TrainingInput:
        return TrainingInput(self._digest.hexdigest(), self._streamed or self._table.take(), columns)
