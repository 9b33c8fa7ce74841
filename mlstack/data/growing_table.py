"""An array that grows while rows arrive, without a copy of it."""

from __future__ import annotations

import numpy as np

from mlstack.runtime.arrays import FloatArray

_FIRST_ROWS = 1 << 10


class GrowingTable:
    """An array that rows are appended to; it grows by 1/8 in place."""

    def __init__(self, columns: int) -> None:
        self._table = np.empty((_FIRST_ROWS, columns))
        self.filled = 0

    def append(self, rows: FloatArray) -> None:
        """Append rows [n, columns]."""
        end = self.filled + len(rows)
        if end > len(self._table):
            grown = max(end, len(self._table) + (len(self._table) >> 3))
            self._resize(grown)  # mremap moves pages without a copy
        self._table[self.filled : end] = rows
        self.filled = end

    def take(self) -> FloatArray:
        """Return the array without its spare rows; nothing may be appended any more."""
        self._resize(self.filled)
        return self._table

    def _resize(self, rows: int) -> None:
        self._table.resize((rows, self._table.shape[1]), refcheck=False)
