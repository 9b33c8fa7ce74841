"""Reads the training table into one array, by a binary COPY stream that is parsed while it arrives."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.binary_copy import HEADER, TRAILER, decode_rows, row_type
from mlstack.data.database import table_name
from mlstack.runtime.arrays import FloatArray

_CHUNK = 1 << 20  # bytes read from the stream at a time
_FIRST_ROWS = 1 << 10
# One backend process that scans from the first page: an unchanged table is always read in the same order.
_IN_ORDER = "SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0"


def read_table(connection: Connection, name: str, columns: Sequence[str]) -> FloatArray:
    """Return the columns of every row as float64 [n, len(columns)], in the order in which they are stored.

    NULL becomes NaN (validation refuses NULL). Peak memory is 9/8 of the array, which grows by 1/8.
    """
    reader, writer = os.pipe()
    rows = _Rows(reader, len(columns))
    rows.start()
    try:
        # psycopg2 calls write() for every row; BufferedWriter collects them in C.
        with io.BufferedWriter(io.FileIO(writer, "wb"), _CHUNK) as stream, connection.cursor() as cursor:
            cursor.execute(_IN_ORDER)
            cursor.copy_expert(_copy_command(name, columns), stream)
    finally:
        rows.join()
    return rows.result()


def data_digest(table: FloatArray, name: str, columns: Sequence[str]) -> str:
    """Return the SHA-256 of the table's name, its columns and its rows in order."""
    digest = hashlib.sha256("\0".join((name, *columns)).encode())
    digest.update(table.reshape(-1).data)
    return digest.hexdigest()


def _copy_command(name: str, columns: Sequence[str]) -> sql.Composed:
    cells = [sql.SQL("coalesce({}::float8, 'NaN')").format(sql.Identifier(column)) for column in columns]
    command = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)")
    return command.format(sql.SQL(", ").join(cells), table_name(name))


class _Rows(threading.Thread):
    """Parses the stream in a thread, so that parsing and receiving overlap."""

    def __init__(self, descriptor: int, columns: int) -> None:
        super().__init__(name="copy-reader", daemon=True)
        self._stream = io.FileIO(descriptor, "rb")
        self._columns = columns
        self._table = np.empty((_FIRST_ROWS, columns))
        self._filled = 0
        self._error: Exception | None = None

    def run(self) -> None:
        with self._stream:
            try:
                self._parse()
            except (ValueError, MemoryError) as error:
                self._error = error
                self._drain()

    def result(self) -> FloatArray:
        if self._error is not None:
            raise self._error
        self._table.resize((self._filled, self._columns), refcheck=False)  # shrinks in place
        return self._table

    def _parse(self) -> None:
        size = row_type(self._columns).itemsize
        buffer = bytearray(_CHUNK + size + len(TRAILER))
        view, held = memoryview(buffer), 0
        with suppress(EOFError):
            self._expect(HEADER)
        while read := self._stream.readinto(view[held : held + _CHUNK]):
            held += read
            whole = max(held - len(TRAILER), 0) // size * size
            self._append(view[:whole])
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

    def _append(self, data: memoryview) -> None:
        values = decode_rows(data, self._columns)
        end = self._filled + len(values)
        if end > len(self._table):
            grown = max(end, len(self._table) + (len(self._table) >> 3))
            self._table.resize((grown, self._columns), refcheck=False)  # mremap moves pages without a copy
        self._table[self._filled : end] = values
        self._filled = end

    def _drain(self) -> None:
        while self._stream.read(_CHUNK):
            pass
