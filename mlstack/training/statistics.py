"""Statistics of long tables, computed block by block: the memory for temporary arrays is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mlstack.runtime.arrays import FloatArray

BLOCK_ROWS = 1 << 16


@dataclass(frozen=True)
class SufficientStatistics:
    """Sufficient statistics of least squares for rows [n, p] and targets [n], which are the last column."""

    rows: int
    mean: FloatArray  # [p + 1]
    root: FloatArray  # R [p + 1, p + 1], upper triangular; RᵀR is the scatter matrix about the mean

    @property
    def target_variance(self) -> float:
        """Variance of the target."""
        return float(self.root[:, -1] @ self.root[:, -1]) / self.rows

    def sum_of_squares(self, slopes: FloatArray, intercept: float) -> float:
        """Return Σ (y - x·slopes - intercept)² of the rows, without cancellation."""
        direction = self.root @ np.append(-slopes, 1.0)
        offset = float(self.mean[-1] - self.mean[:-1] @ slopes) - intercept
        return float(direction @ direction) + self.rows * offset**2

    def with_rows(self, rows: FloatArray) -> SufficientStatistics:
        """Return the statistics of these and more rows [n, p + 1], by a QR decomposition as `measure` does.

        The means of both parts differ by δ; as one more row, δ·√(n₁n₂/n) accounts for it (Chan et al. 1979).
        """
        total, mean = self.rows + len(rows), rows.mean(axis=0)
        difference = mean - self.mean
        between = difference * np.sqrt(self.rows / total * len(rows))
        stacked = np.concatenate([self.root, rows - mean, between[np.newaxis]])
        root = np.asarray(np.linalg.qr(stacked, mode="r"))
        return SufficientStatistics(total, self.mean + difference * (len(rows) / total), root)

    def moved(self, distance: FloatArray) -> SufficientStatistics:
        """Return the statistics of the rows plus `distance` [p + 1]."""
        return SufficientStatistics(self.rows, self.mean + distance, self.root)

    def centred(self) -> SufficientStatistics:
        """Return the statistics of the rows minus their mean."""
        return SufficientStatistics(self.rows, np.zeros_like(self.mean), self.root)

    def points(self) -> FloatArray:
        """Return 2(p + 1) rows with the same mean and scatter matrix, hence the same least-squares fit."""
        steps = self.root / np.sqrt(2)
        return np.concatenate([self.mean + steps, self.mean - steps])


def no_rows(columns: int) -> SufficientStatistics:
    """Return the statistics of no rows at all."""
    return SufficientStatistics(0, np.zeros(columns), np.zeros((columns, columns)))


def measure(table: FloatArray) -> SufficientStatistics:
    """Return the statistics of rows [n, p + 1], by a QR decomposition per block, as stable as one QR."""
    mean = table.mean(axis=0)
    root = np.zeros((table.shape[1], table.shape[1]))
    for block in blocks(len(table)):
        root = np.asarray(np.linalg.qr(np.concatenate([root, table[block] - mean]), mode="r"))
    return SufficientStatistics(len(table), mean, root)


def blocks(rows: int) -> Iterator[slice]:
    """Yield slices of at most BLOCK_ROWS that cover 0 … rows."""
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, rows))


def residuals(predict: Callable[[FloatArray], FloatArray], x: FloatArray, y: FloatArray) -> FloatArray:
    """Return y - ŷ, shape [n]."""
    return np.concatenate(list(_residual_blocks(predict, x, y)))


def sum_of_squares(predict: Callable[[FloatArray], FloatArray], x: FloatArray, y: FloatArray) -> float:
    """Return Σ (y - ŷ)²."""
    return sum(float(errors @ errors) for errors in _residual_blocks(predict, x, y))


def _residual_blocks(
    predict: Callable[[FloatArray], FloatArray], x: FloatArray, y: FloatArray
) -> Iterator[FloatArray]:
    for block in blocks(len(y)):
        yield y[block] - np.asarray(predict(np.ascontiguousarray(x[block]))).reshape(-1)
