"""Rows that one version has answered, encoded for another with fewer columns or other categories."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mlstack.inference.encoding import Cell, CellRefused, encode_rows
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray

_decode = msgspec.json.Decoder(list[list[Cell]]).decode


class Translation:
    """From the columns of the version that has answered to those of another one that fits it."""

    def __init__(self, served: Sequence[Column], other: Sequence[Column]) -> None:
        """Each column of `other` is among those of `served` (mlstack/registry/fitting.py)."""
        names = [column.name for column in served]
        self._positions = [names.index(column.name) for column in other]
        self._width = len(names)
        self._other = tuple(other)
        self._by_value = any(
            column.kind == "category" and column.categories != served[position].categories
            for column, position in zip(other, self._positions, strict=True)
        )
        self._same = not self._by_value and self._positions == [*range(self._width)]

    def content(self, content: bytes, sent: str | None) -> bytes | None:
        """Return the float64 values for the other version, None if it cannot take them.

        Categories are taken from the JSON that was sent: one may be unknown to the version that has answered.
        """
        if self._same:
            return content
        rows: FloatArray = np.frombuffer(content).reshape(-1, self._width)
        if not self._by_value or sent is None:
            return rows[:, self._positions].tobytes()
        cells = [[row[position] for position in self._positions] for row in _decode(sent)]
        try:
            return encode_rows(self._other, cells).tobytes()
        except CellRefused:
            return None
