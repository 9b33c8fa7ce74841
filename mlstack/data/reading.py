"""Reads the training table, in blocks or whole, by a binary COPY stream that is parsed while it arrives."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.cells import cell, column_name, schema_bytes
from mlstack.data.copy_stream import Consume, CopyStream, GroupStream, RowStream
from mlstack.data.database import table_name
from mlstack.data.growing_table import GrowingTable
from mlstack.data.page_groups import groups_query, has_pages
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray

_CHUNK = 1 << 18  # bytes of rows that are decoded at a time: ten thousand short rows, as in a group
_COPY = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)")
# One backend process that scans from the first page: an unchanged table is always read in the same order.
_IN_ORDER = (
    "SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0;"
    " SET LOCAL enable_tidscan = on"
)


def read_blocks(connection: Connection, name: str, columns: Sequence[str | Column], consume: Consume) -> None:
    """Give `consume` the columns of every row, in blocks [n, len(columns)], in their stored order.

    PostgreSQL encodes them as mlstack/registry/columns.py says; a column that is only named is a number.
    An unchanged table always gives the same blocks. One may be in network byte order, and overwritten after
    the call. A ValueError, MemoryError or ArithmeticError of `consume` is raised at the end of the stream.
    """
    cells = [cell(column) for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(_IN_ORDER)
        if has_pages(connection, name):
            stream: CopyStream = GroupStream(len(columns), consume)
            cursor.copy_expert(_COPY.format(groups_query(connection, name, cells)), stream)
        else:
            stream = RowStream(len(columns), consume)
            # psycopg2 calls write() for every row; BufferedWriter collects them in C.
            with io.BufferedWriter(stream, _CHUNK) as collected:
                cursor.copy_expert(_COPY.format(_rows_query(name, cells)), collected)
    stream.check()


def read_table(connection: Connection, name: str, columns: Sequence[str | Column]) -> FloatArray:
    """Return the columns of every row as float64 [n, len(columns)]; peak memory is 9/8 of the array."""
    table = GrowingTable(len(columns))
    read_blocks(connection, name, columns, table.append)
    return table.take()


class DataDigest:
    """The SHA-256 of a table's name, its columns and its rows in order, block by block.

    It covers the columns' kinds and categories unless all of them are plain numbers.
    """

    def __init__(self, name: str, columns: Sequence[str | Column]) -> None:
        self._digest = hashlib.sha256("\0".join((name, *map(column_name, columns))).encode())
        self._digest.update(schema_bytes(columns))

    def update(self, rows: FloatArray) -> None:
        """Add rows [n, columns], contiguous and in this machine's byte order."""
        self._digest.update(rows.reshape(-1).data)

    def hexdigest(self) -> str:
        """Return the digest of what was added."""
        return self._digest.hexdigest()


def data_digest(table: FloatArray, name: str, columns: Sequence[str | Column]) -> str:
    """Return the digest of a whole table."""
    digest = DataDigest(name, columns)
    digest.update(table)
    return digest.hexdigest()


def _rows_query(name: str, cells: Sequence[sql.Composed]) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(cells), table_name(name))
