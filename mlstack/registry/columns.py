"""The columns of a model's rows, and how their values become float64.

A number is itself, a boolean 0 or 1, a category its position in `categories`; NULL is NaN. So rows of any
columns are one array [n, k]: neither the cache nor the batches need to distinguish them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from mlstack.runtime.arrays import FloatArray

Kind = Literal["number", "boolean", "category"]
Class = str | int | bool
VALUES: dict[Kind, str] = {"number": "numbers", "boolean": "booleans", "category": "text"}  # in messages
UNSEEN = -1.0  # a category that training has not seen


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A feature, and what training saw of it."""

    name: str
    kind: Kind
    nullable: bool = False
    categories: tuple[str, ...] = ()  # of kind category, in the order of their code points
    low: float | None = None  # range of a number
    high: float | None = None

    @property
    def plain(self) -> bool:
        """Whether every value is a number."""
        return self.kind == "number" and not self.nullable


def class_key(label: Class) -> str:
    """Return a class as the key of a JSON object."""
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)


def example_rows(columns: tuple[Column, ...], rows: int) -> FloatArray:
    """Return encoded rows [rows, k] that a model of these columns must accept: zeros."""
    import numpy as np  # noqa: PLC0415 - slow to import, and not needed to read a manifest

    return np.zeros((rows, len(columns)))


def vary(columns: tuple[Column, ...], rows: FloatArray) -> FloatArray:
    """Return `rows` [n, k] with random values in the columns that do not hold plain numbers."""
    import numpy as np  # noqa: PLC0415

    random, varied = np.random.default_rng(0), rows.copy()
    for position, column in enumerate(columns):
        if column.kind == "boolean":
            varied[:, position] = random.integers(2, size=len(rows))
        elif column.kind == "category":
            varied[:, position] = random.integers(-1, len(column.categories), size=len(rows))
        if column.nullable:
            varied[random.random(len(rows)) < 0.2, position] = np.nan
    return varied
