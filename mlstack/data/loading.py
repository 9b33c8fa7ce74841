"""Loads generated rows by COPY, chunk by chunk, in one transaction."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.binary_copy import HEADER, TRAILER, encode_rows
from mlstack.data.database import table_name
from mlstack.data.generation import Generation, generate
from mlstack.data.progress import progress

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SEND_BYTES = 1 << 18  # per message to the server


def load(connection: Connection, generation: Generation) -> int:
    """Fill a new table, then rename it to the old name: the old table is locked only for the rename."""
    *schema, name = generation.table.split(".")
    draft = sql.Identifier(*schema, f"{name}_draft")
    columns = sql.SQL(", ").join(
        sql.SQL("{} double precision").format(sql.Identifier(column))
        for column in (*generation.features, generation.target)
    )
    fields = {
        "draft": draft, "columns": columns, "table": table_name(generation.table),
        "name": sql.Identifier(name), "comment": sql.Literal(generation.comment),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE {draft} ({columns})").format(**fields))
        with progress("loading", generation.rows) as done:
            stream = io.BufferedReader(_CopyStream(_encoded(generation), done), _SEND_BYTES)
            copy = sql.SQL("COPY {draft} FROM STDIN (FORMAT binary, FREEZE)").format(**fields)
            cursor.copy_expert(copy, stream, size=_SEND_BYTES)
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {table}").format(**fields))
        cursor.execute(sql.SQL("ALTER TABLE {draft} RENAME TO {name}").format(**fields))
        cursor.execute(sql.SQL("COMMENT ON TABLE {table} IS {comment}").format(**fields))
    return generation.rows


class _Chunk(NamedTuple):
    rows: int
    encoded: memoryview


def _encoded(generation: Generation) -> Iterator[_Chunk]:
    """Yield the chunks; a thread makes the next one while the server takes this one."""
    chunks = (_Chunk(len(chunk), encode_rows(chunk)) for chunk in generate(generation))
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = thread.submit(next, chunks, None)
            yield chunk


class _CopyStream(io.RawIOBase):
    """A readable binary file with the COPY stream."""

    def __init__(self, chunks: Iterator[_Chunk], done: Callable[[int], None]) -> None:
        self._chunks, self._done = chunks, done
        self._rest = memoryview(HEADER)
        self._finished = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._rest and not self._finished:
            self._next_chunk()
        target = memoryview(buffer)
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def _next_chunk(self) -> None:
        chunk = next(self._chunks, None)
        self._finished = chunk is None
        self._rest = memoryview(TRAILER) if chunk is None else chunk.encoded
        self._done(0 if chunk is None else chunk.rows)
