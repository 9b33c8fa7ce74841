"""PostgreSQL's binary COPY format for rows of float8, encoded and decoded by NumPy without a loop over rows.

A stream is a header; for each row an int16 with the number of fields and, for each field, an int32 length and
the value; and a trailer, an int16 of -1. All numbers are big-endian. In a group of rows a field holds the
values of one column for all of them: a bytea of concatenated float8.
https://www.postgresql.org/docs/15/sql-copy.html (section "Binary Format")
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mlstack.runtime.arrays import FloatArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # signature, flags, length of the header's extension
TRAILER = b"\xff\xff"
_FIELDS, _LENGTH = struct.Struct(">h"), struct.Struct(">i")


def row_type(columns: int) -> np.dtype[Any]:
    """Return the layout of one row of `columns` float8 values, none of them NULL."""
    return np.dtype([("fields", ">i2"), ("cells", [("length", ">i4"), ("value", ">f8")], (columns,))])


def encode_rows(table: FloatArray) -> memoryview:
    """Return the rows of `table` [n, columns] without header and trailer."""
    rows = np.empty(len(table), dtype=row_type(table.shape[1]))
    rows["fields"] = table.shape[1]
    rows["cells"]["length"] = 8
    rows["cells"]["value"] = table
    return rows.view(np.uint8).data


def decode_rows(data: memoryview, columns: int) -> npt.NDArray[Any]:
    """Return complete rows as a big-endian view [n, columns]; raise ValueError if they are not all float8."""
    rows = np.frombuffer(data, dtype=row_type(columns))
    if (rows["fields"] != columns).any() or (rows["cells"]["length"] != 8).any():
        raise ValueError("the COPY stream does not hold float8 values only")
    values: npt.NDArray[Any] = rows["cells"]["value"]
    return values


def decode_group(data: memoryview, columns: int) -> tuple[FloatArray, int] | None:
    """Return the first group as rows [n, columns], and its size in bytes; None if it is not complete.

    A group without rows has fields that are NULL. Raise ValueError unless there are `columns` of n float8.
    """
    ends = [_FIELDS.size]
    if len(data) < ends[0] or data[: len(TRAILER)] == TRAILER:
        return None
    if _FIELDS.unpack_from(data) != (columns,):
        raise ValueError("the COPY stream does not hold the columns that were asked for")
    for _ in range(columns):
        if len(data) < ends[-1] + _LENGTH.size:
            return None
        ends.append(ends[-1] + _LENGTH.size + max(*_LENGTH.unpack_from(data, ends[-1]), 0))
    if len(data) < ends[-1]:
        return None
    size = ends[1] - ends[0] - _LENGTH.size
    if size % 8 or any(end - start - _LENGTH.size != size for start, end in pairwise(ends)):
        raise ValueError("the COPY stream does not hold float8 values only")
    rows = np.empty((size // 8, columns))
    for column, start in enumerate(ends[:-1]):
        rows[:, column] = np.frombuffer(data, dtype=">f8", count=len(rows), offset=start + _LENGTH.size)
    return rows, ends[-1]
