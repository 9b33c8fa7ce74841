"""The ranges of columns that hold plain numbers, from the rows while they are read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray


class NotPlain(ValueError):
    """A value is NULL, NaN or infinite: PostgreSQL has to say which."""


class Ranges:
    """The smallest and the largest value of each column."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._low = np.full(len(columns), np.inf)
        self._high = np.full(len(columns), -np.inf)

    def checked(self, block: FloatArray) -> FloatArray:
        """Return rows [n, columns] in this machine's byte order; raise NotPlain if one is not finite."""
        rows = np.ascontiguousarray(block, dtype=np.float64)
        by_column = rows.T.copy()  # reducing contiguous values is several times as fast
        low, high = by_column.min(axis=1), by_column.max(axis=1)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):  # NaN is the minimum where there is one
            raise NotPlain
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)
        return rows

    def columns(self) -> tuple[Column, ...]:
        """Return the columns with their ranges, none if there was no row."""
        if not np.isfinite(self._low).all():
            return tuple(self._columns)
        ranges = zip(self._columns, self._low.tolist(), self._high.tolist(), strict=True)
        return tuple(msgspec.structs.replace(column, low=low, high=high) for column, low, high in ranges)
