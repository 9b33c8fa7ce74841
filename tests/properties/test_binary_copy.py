"""PostgreSQL's binary COPY format: any float64 table survives encoding and decoding, bit for bit."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlstack.data.binary_copy import decode_rows, encode_rows
from mlstack.runtime.arrays import FloatArray

tables = arrays(np.float64, st.tuples(st.integers(0, 20), st.integers(1, 5)), elements=st.floats())


@given(tables)
def test_every_table_survives_bit_for_bit(table: FloatArray) -> None:
    found = decode_rows(encode_rows(table), table.shape[1]).astype(np.float64)

    assert found.tobytes() == table.tobytes()


@given(tables)
def test_a_row_is_a_count_and_a_length_before_each_value(table: FloatArray) -> None:
    columns = table.shape[1]
    cells = [[part for value in row for part in (8, value)] for row in table.tolist()]

    expected = b"".join(struct.pack(">h" + "id" * columns, columns, *row) for row in cells)

    assert bytes(encode_rows(table)) == expected


def test_a_stream_of_anything_else_is_refused() -> None:
    null = struct.pack(">hii4s", 1, -1, 8, b"ABCD")

    with pytest.raises(ValueError, match="does not hold float8 values only"):
        decode_rows(memoryview(null), 1)
