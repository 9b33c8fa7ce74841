"""Encodes rows of JSON values as float64; mlstack/registry/columns.py says how."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mlstack.registry.columns import UNSEEN, Column
from mlstack.runtime.arrays import FloatArray

Cell = float | str | bool | None
_TYPES: dict[str, set[type]] = {"number": {float, int}, "boolean": {bool}, "category": {str}}


class CellRefused(ValueError):
    """A value does not fit its column: the message names the column, what it takes, and the row."""


def encode_rows(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> FloatArray:
    """Return encoded rows [n, k] of rows with one value per column; raise CellRefused."""
    encoded = np.empty((len(rows), len(columns)))
    for position, column in enumerate(columns):
        encoded[:, position] = _encode(column, [row[position] for row in rows])
    encoded += 0.0  # -0.0 becomes 0.0
    return encoded


def expectation(column: Column) -> str:
    """Return the sentence that names what a column takes."""
    kind = {
        "number": "a number up to 1.8e308",
        "boolean": "true or false",
        "category": "a string without U+0000",
    }[column.kind]
    return f"column {column.name}: expected {kind}{' or null' if column.nullable else ''}"


def _encode(column: Column, cells: Sequence[Cell]) -> FloatArray:
    """Return a column's values [n]."""
    present = [cell for cell in cells if cell is not None] if column.nullable else cells
    if not set(map(type, present)) <= _TYPES[column.kind]:
        raise _refused(column, cells)
    try:
        numbers = _codes(column, present) if column.kind == "category" else present
        values = np.array(numbers, dtype=np.float64)
    except OverflowError:  # an int beyond 1.8e308
        raise _refused(column, cells) from None
    if not np.isfinite(values).all():
        raise _refused(column, cells)
    if len(present) == len(cells):
        return values
    encoded = np.full(len(cells), np.nan)
    encoded[[cell is not None for cell in cells]] = values
    return encoded


def _codes(column: Column, cells: Sequence[Cell]) -> list[float]:
    codes: dict[Cell, float] = {name: float(code) for code, name in enumerate(column.categories)}
    return [codes.get(cell, UNSEEN) if _storable(cell) else math.nan for cell in cells]


def _storable(cell: Cell) -> bool:
    """Return whether PostgreSQL can store a text, in the table as in the log."""
    return "\0" not in str(cell)


def _refused(column: Column, cells: Sequence[Cell]) -> CellRefused:
    """Return the refusal of the first value that does not fit its column."""
    number, cell = next(found for found in enumerate(cells, 1) if not _fits(column, found[1]))
    return CellRefused(f"{expectation(column)}; got {_shown(cell)} in row {number}")


def _fits(column: Column, cell: Cell) -> bool:
    if cell is None:
        return column.nullable
    if type(cell) not in _TYPES[column.kind]:
        return False
    if isinstance(cell, str):
        return _storable(cell)
    try:
        return math.isfinite(cell)
    except OverflowError:
        return False


def _shown(cell: Cell) -> str:
    if cell is None:
        return "null"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "a string" if isinstance(cell, str) else "a number"
