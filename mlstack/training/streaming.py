"""What linear training needs of a table that is not held in memory: statistics of both sides, and samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlstack.runtime.arrays import FloatArray
from mlstack.training.splitting import is_held_out, row_hashes
from mlstack.training.statistics import SufficientStatistics, no_rows

_SAMPLE_CELLS = 1 << 19  # of the hold-out: 4 MB
SHOWN = 2000  # rows of a side that a report may show
_BLOCK_ROWS = 1 << 16


class Sample:
    """The rows with the smallest hashes: a random sample that does not depend on the rows' order."""

    def __init__(self, columns: int, size: int) -> None:
        self._size = size
        # Filled and cut in place: what is held is the same after a million rows and after a hundred.
        self._rows = np.empty((2 * size, columns))
        self._hashes = np.empty(2 * size, dtype=np.uint64)
        self._held = 0
        self._limit = np.uint64(2**64 - 1)

    def add(self, rows: FloatArray, hashes: npt.NDArray[np.uint64]) -> None:
        """Add rows [n, columns] with their hashes [n]."""
        chosen = np.flatnonzero(hashes <= self._limit)
        for start in range(0, len(chosen), self._size):
            part = chosen[start : start + self._size]
            if self._held + len(part) > 2 * self._size:
                self._shrink()
            end = self._held + len(part)
            self._rows[self._held : end], self._hashes[self._held : end] = rows[part], hashes[part]
            self._held = end

    def rows(self) -> FloatArray:
        """Return the sample [≤ size, columns], in the order of the hashes."""
        order = np.argsort(self._hashes[: self._held], kind="stable")
        return self._rows[order[: self._size]]

    def _shrink(self) -> None:
        kept = np.argpartition(self._hashes[: self._held], self._size)[: self._size]
        self._rows[: self._size], self._hashes[: self._size] = self._rows[kept], self._hashes[kept]
        self._held, self._limit = self._size, self._hashes[: self._size].max()


class Side:
    """The training rows or the hold-out rows."""

    def __init__(self, columns: int, sample_rows: int) -> None:
        self._origin = np.zeros(columns)
        self._statistics = no_rows(columns)
        self.sample = Sample(columns, sample_rows)

    def add(self, rows: FloatArray, hashes: npt.NDArray[np.uint64]) -> None:
        """Add rows [n, columns] with their hashes [n]."""
        if not len(rows):
            return
        rows = np.asfortranarray(rows)  # sums of contiguous columns take a tenth of the time
        if not self._statistics.rows:
            self._origin = rows.mean(axis=0)
        # Relative to a row near the others, means keep their digits: they are differences of a few spreads.
        self._statistics = self._statistics.with_rows(rows - self._origin)
        self.sample.add(rows, hashes)

    @property
    def statistics(self) -> SufficientStatistics:
        """The statistics of the rows that were added."""
        return self._statistics.moved(self._origin)


class StreamedTable:
    """Both sides of a table with the target as its last column; memory does not grow with the rows."""

    def __init__(self, columns: int, test_fraction: float, sample: int = SHOWN) -> None:
        self._test_fraction = test_fraction
        self.training = Side(columns, sample)
        self.holdout = Side(columns, max(SHOWN, _SAMPLE_CELLS // columns))
        self.lowest, self.highest = np.inf, -np.inf  # of the training targets

    @property
    def rows(self) -> int:
        """Number of rows on both sides."""
        return self.training.statistics.rows + self.holdout.statistics.rows

    def add(self, rows: FloatArray) -> FloatArray:
        """Add rows [n, columns], contiguous; return those of them that are held out."""
        hashes = row_hashes(rows)
        held_out = is_held_out(hashes, self._test_fraction)
        # compress() takes a third of the time of an index of booleans.
        training, holdout = rows.compress(~held_out, axis=0), rows.compress(held_out, axis=0)
        self.training.add(training, hashes.compress(~held_out))
        self.holdout.add(holdout, hashes.compress(held_out))
        if len(training):
            self.lowest = min(self.lowest, float(training[:, -1].min()))
            self.highest = max(self.highest, float(training[:, -1].max()))
        return holdout

    def add_table(self, table: FloatArray) -> None:
        """Add a whole table [n, columns], block by block."""
        for start in range(0, len(table), _BLOCK_ROWS):
            self.add(table[start : start + _BLOCK_ROWS])
