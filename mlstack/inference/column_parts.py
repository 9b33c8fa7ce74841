"""A fitted ColumnTransformer as look-up tables: the same rows as its own `transform`, in microseconds.

Of scikit-learn's transformers it knows those that training puts in front of an estimator
(mlstack/training/preprocessing.py): one-hot encoding of category codes, imputation, and what is passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlstack.registry.columns import UNSEEN
from mlstack.runtime.arrays import FloatArray


@dataclass(frozen=True)
class Part:
    """What becomes of one column of a row: the columns of the result from `start` on."""

    position: int  # in the row
    start: int  # in the result
    table: FloatArray | None = None  # of a category: a line for unseen, one per code, one for NULL
    fill: float | None = None  # of a number that may be missing
    indicator: int | None = None  # where the result says that it is missing

    def codes(self, rows: FloatArray) -> npt.NDArray[np.intp]:
        """Return the line of `table` [n] for each row."""
        assert self.table is not None
        values = rows[:, self.position]
        return np.where(np.isnan(values), len(self.table) - 1, values + 1).astype(np.intp)


def column_parts(transformer: Any) -> list[Part] | None:
    """Return the parts of a fitted ColumnTransformer, None if it holds something else."""
    found: list[Part] = []
    for name, fitted, columns in transformer.transformers_:
        start = transformer.output_indices_[name].start
        kind = type(fitted).__name__
        if kind == "OneHotEncoder":
            found += _one_hot(fitted, columns, start)
        elif kind == "SimpleImputer":
            found += _imputed(fitted, columns, start)
        elif kind == "FunctionTransformer" and fitted.func is None:
            found += [Part(position, start + n) for n, position in enumerate(columns)]
        elif columns:
            return None
    return found


def quick_transform(parts: list[Part]) -> Callable[[FloatArray], FloatArray]:
    """Return the function from encoded rows [n, k] to the rows that the estimator takes."""
    width = 1 + max(_last(part) for part in parts)

    def transform(rows: FloatArray) -> FloatArray:
        result = np.empty((len(rows), width))
        for part in parts:
            _write(part, rows, result)
        return result

    return transform


def _last(part: Part) -> int:
    own = part.start if part.table is None else part.start + part.table.shape[1] - 1
    return own if part.indicator is None else max(own, part.indicator)


def _write(part: Part, rows: FloatArray, result: FloatArray) -> None:
    if part.table is not None:
        result[:, part.start : part.start + part.table.shape[1]] = part.table[part.codes(rows)]
        return
    values = rows[:, part.position]
    if part.fill is None:
        result[:, part.start] = values
        return
    missing = np.isnan(values)
    result[:, part.start] = np.where(missing, part.fill, values)
    if part.indicator is not None:
        result[:, part.indicator] = missing


def _one_hot(encoder: Any, columns: list[int], start: int) -> Iterator[Part]:
    for number, position in enumerate(columns):
        categories = encoder.categories_[number]
        codes = np.arange(np.isfinite(categories).sum(), dtype=np.float64)
        rows = np.full((len(codes) + 2, len(columns)), UNSEEN)
        rows[:, number] = [UNSEEN, *codes, np.nan]
        before = sum(map(len, encoder.categories_[:number]))
        encoded = encoder.transform(rows)
        dense = encoded.toarray() if hasattr(encoded, "toarray") else encoded
        yield Part(
            position, start + before, np.ascontiguousarray(dense[:, before : before + len(categories)])
        )


def _imputed(imputer: Any, columns: list[int], start: int) -> Iterator[Part]:
    flagged = [] if imputer.indicator_ is None else imputer.indicator_.features_.tolist()
    for number, position in enumerate(columns):
        flag = start + len(columns) + flagged.index(number) if number in flagged else None
        yield Part(position, start + number, fill=float(imputer.statistics_[number]), indicator=flag)
