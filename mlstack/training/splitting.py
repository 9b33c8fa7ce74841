"""The split of a table into training and hold-out rows.

A table that is held in memory is shuffled and cut, as by scikit-learn's train_test_split; for a classifier
the hold-out gets its share of each class. A longer table that is streamed is split by a hash of each row, for
which no other row is needed; equal rows are on the same side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mlstack.runtime.arrays import FloatArray

RANDOM_STATE = 42
HELD_ROWS = 1_000_000  # a longer table is streamed, if the estimator needs no more than its statistics
Split = Literal["shuffled", "stratified", "hashed"]


@dataclass(frozen=True)
class Dataset:
    """Training or hold-out rows: a view [n, k + 1] of the table, with the target as the last column."""

    table: FloatArray

    @property
    def x(self) -> FloatArray:
        """Features [n, k]."""
        return self.table[:, :-1]

    @property
    def y(self) -> FloatArray:
        """Targets [n]."""
        return self.table[:, -1]


def split_in_place(table: FloatArray, test_fraction: float) -> tuple[Dataset, Dataset]:
    """Shuffle the rows of `table` [n, k+1] (target last) and return (training, hold-out) as views.

    Same rows in the same order as scikit-learn's train_test_split(…, random_state=42), but without a copy.
    """
    held_out = math.ceil(len(table) * test_fraction)
    rows = table.view(np.dtype((np.void, table.itemsize * table.shape[1]))).reshape(-1)
    np.random.RandomState(RANDOM_STATE).shuffle(rows)
    return Dataset(table[held_out:]), Dataset(table[:held_out])


def split_stratified(table: FloatArray, test_fraction: float) -> tuple[Dataset, Dataset]:
    """Shuffle the rows of `table` [n, k+1] in place; return (training, hold-out) as copies.

    Of each class, which is a value of the last column, the first rows in the new order are held out: at least
    one, and never all.
    """
    split_in_place(table, test_fraction)
    held_out = np.zeros(len(table), dtype=np.bool_)
    for value in np.unique(table[:, -1]):
        rows = np.flatnonzero(table[:, -1] == value)
        share = max(round(len(rows) * test_fraction), 1)
        held_out[rows[: min(share, len(rows) - 1)]] = True
    return Dataset(table[~held_out]), Dataset(table[held_out])


def is_held_out(hashes: npt.NDArray[np.uint64], test_fraction: float) -> npt.NDArray[np.bool_]:
    """Return which rows [n] belong to the hold-out."""
    return hashes < np.uint64(int(test_fraction * 2.0**64))


def row_hashes(rows: FloatArray) -> npt.NDArray[np.uint64]:
    """Return a uniformly distributed hash of each row [n], rows contiguous: splitmix64's mixing by cell.

    https://doi.org/10.1145/2714064.2660195
    """
    bits: npt.NDArray[Any] = rows.view(np.uint64)
    hashes = np.zeros(len(rows), dtype=np.uint64)
    for column in range(rows.shape[1]):
        hashes += np.uint64(0x9E3779B97F4A7C15)
        hashes ^= bits[:, column]
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            hashes ^= hashes >> np.uint64(shift)
            hashes *= np.uint64(factor)
        hashes ^= hashes >> np.uint64(31)
    return hashes
