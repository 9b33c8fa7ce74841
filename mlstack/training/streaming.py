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
        self._rows = [np.empty((0, columns))]
        self._hashes = [np.empty(0, dtype=np.uint64)]
        self._held = 0
        self._limit = np.uint64(2**64 - 1)

    def add(self, rows: FloatArray, hashes: npt.NDArray[np.uint64]) -> None:
        """Add rows [n, columns] with their hashes [n]."""
        chosen = hashes <= self._limit
        if not chosen.any():
            return
        self._rows.append(rows[chosen])
        self._hashes.append(hashes[chosen])
        self._held += len(self._hashes[-1])
        if self._held > 2 * self._size:
            self._shrink()

    def rows(self) -> FloatArray:
        """Return the sample [≤ size, columns], in the order of the hashes."""
        order = np.argsort(np.concatenate(self._hashes), kind="stable")
        return np.concatenate(self._rows)[order[: self._size]]

    def _shrink(self) -> None:
        hashes = np.concatenate(self._hashes)
        kept = np.argpartition(hashes, self._size)[: self._size]
        self._rows, self._hashes = [np.concatenate(self._rows)[kept]], [hashes[kept]]
        self._held, self._limit = self._size, self._hashes[0].max()


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
        training, holdout = rows[~held_out], rows[held_out]
        self.training.add(training, hashes[~held_out])
        self.holdout.add(holdout, hashes[held_out])
        if len(training):
            self.lowest = min(self.lowest, float(training[:, -1].min()))
            self.highest = max(self.highest, float(training[:, -1].max()))
        return holdout

    def add_table(self, table: FloatArray) -> None:
        """Add a whole table [n, columns], block by block."""
        for start in range(0, len(table), _BLOCK_ROWS):
            self.add(table[start : start + _BLOCK_ROWS])
