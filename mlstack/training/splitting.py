"""Which rows a model learns from, and which it is judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlstack.runtime.arrays import FloatArray

RANDOM_STATE = 42


@dataclass(frozen=True)
class Part:
    """Rows to learn from or to judge by: a view [n, k + 1] of the table, the target last."""

    table: FloatArray

    @property
    def x(self) -> FloatArray:
        """Features [n, k]."""
        return self.table[:, :-1]

    @property
    def y(self) -> FloatArray:
        """Targets [n]."""
        return self.table[:, -1]


def split_in_place(table: FloatArray, test_fraction: float) -> tuple[Part, Part]:
    """Shuffle the rows of `table` [n, k+1] (target last) and return (training, hold-out) as views.

    The same rows in the same order as train_test_split(…, random_state=42), without a second table in memory.
    """
    held_out = math.ceil(len(table) * test_fraction)
    rows = table.view(np.dtype((np.void, table.itemsize * table.shape[1]))).reshape(-1)
    np.random.RandomState(RANDOM_STATE).shuffle(rows)
    return Part(table[held_out:]), Part(table[:held_out])
