"""The rows that candidates are compared on: of a long table a sample, so that none is held."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlstack.data.database import connected
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray
from mlstack.training.classes import class_positions, find_classes
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator, is_classifier
from mlstack.training.input import TrainingInput, read_input
from mlstack.training.splitting import HELD_ROWS, Dataset, split_in_place, split_stratified
from mlstack.training.streaming import StreamedTable
from mlstack.tuning.cross_validation import MAX_ROWS


def read_table_or_sample(url: str, name: str, config: TrainingConfig) -> TrainingInput:
    """Return the table, or of one with more than HELD_ROWS a sample of its training rows."""

    def most_rows(_: Sequence[Column]) -> float:
        return HELD_ROWS

    with connected(url, snapshot=True) as connection:
        return read_input(connection, name, config, most_rows, MAX_ROWS)


def compared_rows(source: TrainingInput, config: TrainingConfig) -> Dataset:
    """Return training rows in random order, a copy; the hold-out is the quality gate's.

    A sample leaves out the rows that are held out by their hash. A model that needs a long table as an array
    has another hold-out, a shuffled one; a few of its rows may then be among those compared.
    """
    target = source.columns[-1]
    classify = is_classifier(build_estimator(config))
    if isinstance(source.rows, StreamedTable):
        rows = source.rows.training.sample.rows()
        return Dataset(_with_positions(_without_rare(rows), target, config) if classify else rows)
    table = source.rows.copy()
    if not classify:
        return split_in_place(table, config.test_fraction)[0]
    return split_stratified(_with_positions(table, target, config), config.test_fraction)[0]


def _with_positions(rows: FloatArray, target: Column, config: TrainingConfig) -> FloatArray:
    """Return the rows, in place, with the classes' positions as targets."""
    classes = find_classes(rows[:, -1], target, config.max_categories)
    rows[:, -1] = class_positions(rows[:, -1], classes)
    return rows


def _without_rare(rows: FloatArray) -> FloatArray:
    """Return the rows without those whose class a sample holds once: the table may hold more of it."""
    _, places, counts = np.unique(rows[:, -1], return_inverse=True, return_counts=True)
    return np.ascontiguousarray(rows[counts[places] > 1])
