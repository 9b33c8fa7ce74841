"""PostgreSQL's binary COPY format: any float64 table survives encoding and decoding, bit for bit."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlstack.data.binary_copy import HEADER, TRAILER, decode_group, decode_rows, encode_rows
from mlstack.data.copy_stream import GroupStream, RowStream
from mlstack.runtime.arrays import FloatArray

cuts = st.lists(st.integers(0, 400), max_size=8)
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


def _group(table: FloatArray) -> bytes:
    fields = [column.astype(">f8").tobytes() for column in table.T]
    cells = [struct.pack(">i", len(field) or -1) + field for field in fields]  # the sum of no rows is NULL
    return struct.pack(">h", len(fields)) + b"".join(cells)


def _written(stream: GroupStream | RowStream, data: bytes, at: list[int]) -> None:
    """Write the data in pieces, and use the memory of each again, as a BufferedWriter does."""
    ends = [*sorted(min(end, len(data)) for end in at), len(data)]
    for start, end in zip([0, *ends], ends, strict=False):
        piece = bytearray(data[start:end])
        assert stream.write(piece) == len(piece)
        piece[:] = bytes(len(piece))
    stream.check()


@given(st.lists(tables.filter(lambda table: table.shape[1] == 2), max_size=4), cuts)
def test_groups_of_rows_survive_in_pieces_of_any_size(groups: list[FloatArray], at: list[int]) -> None:
    found: list[FloatArray] = []

    _written(GroupStream(2, found.append), b"".join((HEADER, *map(_group, groups), TRAILER)), at)

    assert [rows.tobytes() for rows in found] == [rows.tobytes() for rows in groups if len(rows)]


@given(tables, cuts)
def test_rows_survive_in_pieces_of_any_size(table: FloatArray, at: list[int]) -> None:
    found: list[bytes] = []
    stream = RowStream(table.shape[1], lambda block: found.append(block.astype(np.float64).tobytes()))

    _written(stream, b"".join((HEADER, encode_rows(table), TRAILER)), at)

    assert b"".join(found) == table.tobytes()


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"PGCOPX\n\xff\r\n\0" + bytes(8), "unknown header"),
        (HEADER, "does not end"),
        (HEADER + _group(np.ones((3, 2)))[:-1], "does not end"),
        (HEADER + _group(np.ones((3, 3))) + TRAILER, "the columns that were asked for"),
        (HEADER + struct.pack(">hi4si4s", 2, 4, b"1234", 4, b"5678") + TRAILER, "float8 values only"),
        (HEADER + struct.pack(">hiid", 2, -1, 8, 1.0) + TRAILER, "float8 values only"),
    ],
    ids=["header", "no end", "cut off", "three columns", "four bytes", "a NULL"],
)
def test_another_stream_of_groups_is_refused(data: bytes, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        _written(GroupStream(2, lambda _: None), data, [])


def test_an_incomplete_group_waits_for_the_rest() -> None:
    group = _group(np.arange(6.0).reshape(3, 2))

    found = [decode_group(memoryview(group[:end]), 2) for end in range(len(group))]

    assert found == [None] * len(group)
