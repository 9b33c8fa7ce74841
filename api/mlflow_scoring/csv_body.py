"""CSV as pandas' to_csv(index=False) writes it: a line of names, then a line for each row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence

from api.mlflow_scoring.frames import Rows, split_rows
from mlstack.inference.encoding import Cell, expectation
from mlstack.registry.columns import Column
from mlstack.web.problems import InvalidInput

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NULLS = frozenset({"", "NaN", "nan"})
_BOOLEANS = {"True": True, "true": True, "TRUE": True, "False": False, "false": False, "FALSE": False}


def read_csv(body: bytes, columns: Sequence[Column], max_rows: int) -> Rows:
    """Return rows in the order of the columns, an empty field as NULL; raise InvalidInput."""
    if body.count(b"\n") + body.count(b"\r") > 2 * (max_rows + 1):
        raise InvalidInput(f"expected at most {max_rows} rows in one request; there are more lines")
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode(), newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"expected CSV in UTF-8: {error}") from None
    if not lines:
        raise InvalidInput("expected CSV with a line of column names; got none")
    rows = split_rows(lines[0], lines[1:], columns)
    readers = [_READERS[column.kind] for column in columns]
    return [
        [_cell(text, column, read, number) for text, column, read in zip(row, columns, readers, strict=True)]
        for number, row in enumerate(rows, 1)
    ]


def _cell(text: Cell, column: Column, read: Callable[[str], Cell], number: int) -> Cell:
    assert isinstance(text, str)
    try:
        return read(text)
    except ValueError:
        raise InvalidInput(f"{expectation(column)}; got {text[:40]} in row {number}") from None


def _number(text: str) -> Cell:
    if text in _NULLS:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _boolean(text: str) -> Cell:
    if text in _NULLS:
        return None
    if text not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text]


def _category(text: str) -> Cell:
    return text or None


_READERS: dict[str, Callable[[str], Cell]] = {"number": _number, "boolean": _boolean, "category": _category}
