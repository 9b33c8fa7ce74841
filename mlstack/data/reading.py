"""Reads the training table, in blocks or whole, by a binary COPY stream that is parsed while it arrives."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.binary_copy import HEADER, TRAILER, decode_rows, row_type
from mlstack.data.cells import cell, column_name, schema_bytes
from mlstack.data.database import table_name
from mlstack.data.growing_table import GrowingTable
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray

_CHUNK = 1 << 20  # bytes read from the stream at a time
# One backend process that scans from the first page: an unchanged table is always read in the same order.
_IN_ORDER = "SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0"


Consume = Callable[[FloatArray], None]


def read_blocks(connection: Connection, name: str, columns: Sequence[str | Column], consume: Consume) -> None:
    """Give `consume` the columns of every row, in blocks [n, len(columns)], in their stored order.

    PostgreSQL encodes them as mlstack/registry/columns.py says; a column that is only named is a number.
    `consume` runs in a thread of its own; a block is a view in network byte order, which is overwritten
    after the call.
    """
    reader, writer = os.pipe()
    parser = _Parser(reader, len(columns), consume)
    parser.start()
    try:
        # psycopg2 calls write() for every row; BufferedWriter collects them in C.
        with io.BufferedWriter(io.FileIO(writer, "wb"), _CHUNK) as stream, connection.cursor() as cursor:
            cursor.execute(_IN_ORDER)
            cursor.copy_expert(_copy_command(name, columns), stream)
    finally:
        parser.join()
    if parser.error is not None:
        raise parser.error


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


def _copy_command(name: str, columns: Sequence[str | Column]) -> sql.Composed:
    cells = [cell(column) for column in columns]
    command = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)")
    return command.format(sql.SQL(", ").join(cells), table_name(name))


class _Parser(threading.Thread):
    """Parses the stream in a thread, so that parsing and receiving overlap."""

    def __init__(self, descriptor: int, columns: int, consume: Consume) -> None:
        super().__init__(name="copy-reader", daemon=True)
        self._stream = io.FileIO(descriptor, "rb")
        self._columns = columns
        self._consume = consume
        self.error: Exception | None = None

    def run(self) -> None:
        with self._stream:
            try:
                self._parse()
            except (ValueError, MemoryError, ArithmeticError) as error:
                self.error = error
                self._drain()

    def _parse(self) -> None:
        size = row_type(self._columns).itemsize
        buffer = bytearray(_CHUNK + size + len(TRAILER))
        view, held = memoryview(buffer), 0
        with suppress(EOFError):
            self._expect(HEADER)
        while read := self._stream.readinto(view[held : held + _CHUNK]):
            held += read
            whole = max(held - len(TRAILER), 0) // size * size
            if whole:
                self._consume(decode_rows(view[:whole], self._columns))
            buffer[: held - whole] = buffer[whole:held]
            held -= whole

    def _expect(self, text: bytes) -> None:
        found = b""
        while len(found) < len(text):
            data = self._stream.read(len(text) - len(found))
            if not data:
                raise EOFError
            found += data
        if found != text:
            raise ValueError("the COPY stream has an unknown header")

    def _drain(self) -> None:
        while self._stream.read(_CHUNK):
            pass
