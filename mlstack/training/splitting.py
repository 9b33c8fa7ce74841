"""The split of a table into training and hold-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlstack.runtime.arrays import FloatArray

RANDOM_STATE = 42


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
