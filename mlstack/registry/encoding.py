"""Encodes rows of JSON values as float64; mlstack/registry/columns.py says how."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from mlstack.registry.columns import UNSEEN, Column
from mlstack.runtime.arrays import FloatArray

Cell = float | str | bool | None
_NULL = math.nan


class CellRefused(ValueError):
    """A value does not fit its column: the message names the column, what it takes, and the row."""


def encode_rows(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> FloatArray:
    """Return encoded rows [n, k] of rows with one value per column; raise CellRefused."""
    encoded = np.empty((len(rows), len(columns)))
    for position, column in enumerate(columns):
        encode = _ENCODERS[column.kind](column)
        for number, row in enumerate(rows):
            cell = row[position]
            if cell is None and column.nullable:
                encoded[number, position] = _NULL
                continue
            value = encode(cell)
            if value is None:
                raise CellRefused(f"{expectation(column)}; got {_shown(cell)} in row {number + 1}")
            encoded[number, position] = value
    return encoded


def expectation(column: Column) -> str:
    """Return the sentence that names what a column takes."""
    kind = {"number": "a number up to 1.8e308", "boolean": "true or false", "category": "a string"}[
        column.kind
    ]
    return f"column {column.name}: expected {kind}{' or null' if column.nullable else ''}"


def _number(_column: Column) -> Callable[[Cell], float | None]:
    def encode(cell: Cell) -> float | None:
        if isinstance(cell, bool | str) or cell is None:
            return None
        try:
            value = float(cell)
        except OverflowError:
            return None
        return value + 0.0 if math.isfinite(value) else None  # -0.0 becomes 0.0

    return encode


def _boolean(_column: Column) -> Callable[[Cell], float | None]:
    return lambda cell: float(cell) if isinstance(cell, bool) else None


def _category(column: Column) -> Callable[[Cell], float | None]:
    codes = {name: float(code) for code, name in enumerate(column.categories)}
    return lambda cell: codes.get(cell, UNSEEN) if isinstance(cell, str) else None


_ENCODERS = {"number": _number, "boolean": _boolean, "category": _category}


def _shown(cell: Cell) -> str:
    if cell is None:
        return "null"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "a string" if isinstance(cell, str) else "a number"
