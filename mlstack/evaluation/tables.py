"""The tables of a report: the confusion matrix, errors by column, and the schema."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlstack.evaluation.charts import printable
from mlstack.evaluation.holdout import PredictedClasses, PredictedValues
from mlstack.registry.columns import UNSEEN, Class, Column, class_key
from mlstack.runtime.arrays import FloatArray

MOST_CLASSES = 20  # of a confusion matrix
_MOST_CATEGORIES = 20  # of a column in the schema
_MOST_COLUMNS = 20  # in the table of errors
_MOST_LETTERS = 60  # of a category
_GROUPS = 4  # of a column's rows in the table of errors


class ConfusionRow(NamedTuple):
    """An actual class: how many of its hold-out rows got each predicted class, and as shares of them."""

    label: str
    counts: list[int]
    shares: list[float]


class ErrorRow(NamedTuple):
    """The error among the hold-out rows of one part of a column's values."""

    column: str
    values: str
    rows: int
    error: float
    current: float | None = None  # of the current version


def confusion_matrix(classes: tuple[Class, ...], holdout: PredictedClasses) -> list[ConfusionRow]:
    """Return a row per class with a count per class; nothing for more than MOST_CLASSES."""
    if len(classes) > MOST_CLASSES:
        return []
    counts = holdout.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = [_named(class_key(label)) for label in classes]
    return [ConfusionRow(*row) for row in zip(labels, counts.tolist(), shares.tolist(), strict=True)]


def error_rows(
    columns: tuple[Column, ...],
    holdout: PredictedValues | PredictedClasses,
    former: PredictedValues | PredictedClasses | None = None,
) -> list[ErrorRow]:
    """Return the RMSE, or the share of wrong classes, by parts of each column's values.

    `former` is what the current version says of the same rows.
    """
    found = []
    for column, values in zip(columns[:_MOST_COLUMNS], holdout.rows.T, strict=False):
        for name, chosen in _groups(column, values):
            current = _error(former, chosen) if former else None
            found.append(ErrorRow(column.name, name, int(chosen.sum()), _error(holdout, chosen), current))
    return found


def _error(predicted: PredictedValues | PredictedClasses, chosen: npt.NDArray[np.bool_]) -> float:
    error = float(predicted.loss[chosen].mean())
    return error if isinstance(predicted, PredictedClasses) else math.sqrt(error)


def schema_rows(columns: tuple[Column, ...], training: FloatArray) -> list[dict[str, str]]:
    """Return what each column may hold; `training` [n, k] shows the range of a column without one."""
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "null": "yes" if column.nullable else "no",
            "values": _values(column, training[:, position]),
        }
        for position, column in enumerate(columns)
    ]


def _named(category: str) -> str:
    return printable(category, _MOST_LETTERS)


def _values(column: Column, training: FloatArray) -> str:
    if column.kind == "boolean":
        return "false, true"
    if column.kind == "category":
        shown = ", ".join(_named(name) for name in column.categories[:_MOST_CATEGORIES])
        more = len(column.categories) - _MOST_CATEGORIES
        return f"{shown} and {more} more" if more > 0 else shown
    low = column.low if column.low is not None else float(np.fmin.reduce(training))
    high = column.high if column.high is not None else float(np.fmax.reduce(training))
    return f"{low:.6g} to {high:.6g}"


def _groups(column: Column, values: FloatArray) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Yield the largest parts of a column's values: ranges of numbers, or categories; and NULL."""
    yield from _ranges(values) if column.kind == "number" else _categories(column, values)
    missing = np.isnan(values)
    if missing.any():
        yield "NULL", missing


def _ranges(values: FloatArray) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    numbers = values[~np.isnan(values)]
    if not len(numbers):
        return
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _GROUPS + 1)))
    for position, high in enumerate(edges[1:], 1):
        low = edges[position - 1]
        chosen = (values > low) & (values <= high)
        yield f"{low:.6g} to {high:.6g}", chosen | (values == low) if position == 1 else chosen
    if len(edges) == 1:
        yield f"{edges[0]:.6g}", values == edges[0]


def _categories(column: Column, values: FloatArray) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    labels = column.categories if column.kind == "category" else ("false", "true")
    codes, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    for code in codes[np.argsort(-counts, kind="stable")][:_GROUPS]:
        name = "a category that training has not seen" if code == UNSEEN else _named(labels[int(code)])
        yield name, values == code
