"""What a linear model, alone or behind a ColumnTransformer and scalers, adds up for each column of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlstack.inference.column_parts import Part, column_parts
from mlstack.runtime.arrays import FloatArray

Sums = Callable[[FloatArray], FloatArray]  # rows [n, k] -> [c, n]


@dataclass(frozen=True)
class Weights:
    """A linear function of the columns that the parts make of a row, for each class."""

    parts: list[Part]
    slopes: FloatArray  # [c, width]
    offset: FloatArray  # [c]

    def sums(self) -> Sums:
        """Return the function that adds up the parts, [c, n]."""
        terms, offset = [_term(part, self.slopes) for part in self.parts], self.offset[:, np.newaxis]

        def total(rows: FloatArray) -> FloatArray:
            found = offset + terms[0](rows)
            for term in terms[1:]:
                found += term(rows)
            return found

        return total

    def size(self, rows: FloatArray) -> FloatArray:
        """Return the sum of the absolute summands, [c, n]."""
        terms = [_term(part, self.slopes) for part in self.parts]
        return sum((np.abs(term(rows)) for term in terms), np.abs(self.offset)[:, np.newaxis])


def _term(part: Part, slopes: FloatArray) -> Sums:
    if part.table is not None:
        chosen = slopes[:, part.start : part.start + part.table.shape[1]] @ part.table.T  # [c, codes]
        return lambda rows: chosen[:, part.codes(rows)]
    slope = slopes[:, part.start, np.newaxis]
    if part.fill is None:
        return lambda rows: slope * rows[:, part.position]
    flag = 0.0 if part.indicator is None else slopes[:, part.indicator, np.newaxis]
    absent = slope * part.fill + flag

    def term(rows: FloatArray) -> FloatArray:
        values = rows[:, part.position]
        return np.where(np.isnan(values), absent, slope * values)

    return term


def linear_weights(estimator: Any, columns: int) -> Weights | None:
    """Return what a pipeline of a ColumnTransformer, scalers and a linear model computes, if it is one."""
    first, *others = steps_of(estimator)
    parts: list[Part] | None = [Part(position, position) for position in range(columns)]
    if type(first).__name__ == "ColumnTransformer":
        parts = column_parts(first)
    else:
        others = [first, *others]
    if parts is None or not others or not hasattr(others[-1], "coef_"):
        return None
    slopes = np.atleast_2d(np.asarray(others[-1].coef_, dtype=np.float64))
    offset = np.zeros(len(slopes)) + np.asarray(others[-1].intercept_, dtype=np.float64)
    for scaler in reversed(others[:-1]):
        if type(scaler).__name__ != "StandardScaler":
            return None
        slopes = slopes / (1.0 if scaler.scale_ is None else scaler.scale_)
        offset = offset - slopes @ (scaler.mean_ if scaler.with_mean else np.zeros(slopes.shape[1]))
    return Weights(parts, slopes, offset)


def steps_of(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
