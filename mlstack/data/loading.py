"""Loading generated rows by COPY, in pieces of bounded size, in one transaction."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.binary_copy import HEADER, TRAILER, encode_rows
from mlstack.data.database import table_name
from mlstack.data.generation import Generation, generate
from mlstack.data.progress import progress
from mlstack.runtime.arrays import FloatArray

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_READ = 1 << 18  # bytes to the server at a time


def load(connection: Connection, generation: Generation) -> int:
    """Fill a new table beside the old one and put it in its place: readers wait for the last moment only."""
    *schema, name = generation.table.split(".")
    draft = sql.Identifier(*schema, f"{name}_draft")
    columns = sql.SQL(", ").join(
        sql.SQL("{} double precision").format(sql.Identifier(column))
        for column in (*generation.features, generation.target)
    )
    fields = {
        "draft": draft, "columns": columns, "table": table_name(generation.table),
        "name": sql.Identifier(name), "mark": sql.Literal(generation.mark),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE {draft} ({columns})").format(**fields))
        with progress("loading", generation.rows) as done:
            stream = io.BufferedReader(_CopyStream(generate(generation), done), _READ)
            copy = sql.SQL("COPY {draft} FROM STDIN (FORMAT binary, FREEZE)").format(**fields)
            cursor.copy_expert(copy, stream, size=_READ)
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {table}").format(**fields))
        cursor.execute(sql.SQL("ALTER TABLE {draft} RENAME TO {name}").format(**fields))
        cursor.execute(sql.SQL("COMMENT ON TABLE {table} IS {mark}").format(**fields))
    return generation.rows


class _CopyStream(io.RawIOBase):
    """A file to read for COPY, made from pieces of the table as they are needed."""

    def __init__(self, pieces: Iterator[FloatArray], done: Callable[[int], None]) -> None:
        self._pieces, self._done = pieces, done
        self._rest = memoryview(HEADER)
        self._finished = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._rest and not self._finished:
            self._next_piece()
        target = memoryview(buffer)
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def _next_piece(self) -> None:
        piece = next(self._pieces, None)
        self._finished = piece is None
        self._rest = memoryview(TRAILER) if piece is None else encode_rows(piece)
        self._done(0 if piece is None else len(piece))
