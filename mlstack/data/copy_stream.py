"""Writable files that decode PostgreSQL's binary COPY stream while a driver writes it into them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlstack.data.binary_copy import HEADER, TRAILER, decode_group, decode_rows, row_type
from mlstack.runtime.arrays import FloatArray

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Consume = Callable[[FloatArray], None]


class CopyStream(io.RawIOBase):
    """Decodes what is written. What `consume` raises is kept: the server cannot be told to send no more."""

    def __init__(self, columns: int, consume: Consume) -> None:
        self._columns, self._consume = columns, consume
        self._rest = b""
        self._begun = False
        self._error: Exception | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        if self._error is None:
            try:
                self._add(data)
            except (ValueError, MemoryError, ArithmeticError) as error:
                self._error, self._rest = error, b""
        return memoryview(data).nbytes

    def check(self) -> None:
        """Raise what `consume` raised, ValueError if the stream was none of the kind or is not complete."""
        if self._error is not None:
            raise self._error
        if self._rest != TRAILER:
            raise ValueError("the COPY stream does not end as it should")

    def _add(self, data: ReadableBuffer) -> None:
        # What is written is not kept: a BufferedWriter uses its memory again.
        view = memoryview(self._rest + bytes(data) if self._rest else data)
        start = 0
        if not self._begun and len(view) >= len(HEADER):
            if view[: len(HEADER)] != HEADER:
                raise ValueError("the COPY stream has an unknown header")
            self._begun, start = True, len(HEADER)
        if self._begun:
            start += self._decode(view[start:])
        self._rest = bytes(view[start:])

    def _decode(self, data: memoryview) -> int:
        """Consume what is complete; return its size in bytes."""
        raise NotImplementedError


class RowStream(CopyStream):
    """Rows of float8: `consume` gets blocks [n, columns] in network byte order, valid until it returns."""

    def _decode(self, data: memoryview) -> int:
        size = row_type(self._columns).itemsize
        whole = max(len(data) - len(TRAILER), 0) // size * size
        if whole:
            self._consume(decode_rows(data[:whole], self._columns))
        return whole


class GroupStream(CopyStream):
    """Groups of rows, column by column: `consume` gets each as an array [n, columns] of its own."""

    def _decode(self, data: memoryview) -> int:
        start = 0
        while (found := decode_group(data[start:], self._columns)) is not None:
            rows, size = found
            start += size
            if len(rows):
                self._consume(rows)
        return start
