"""Data frames as rows in the order of a model's columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mlstack.inference.encoding import Cell
from mlstack.registry.columns import Column
from mlstack.web.problems import InvalidInput

Rows = Sequence[Sequence[Cell]]
_SHOWN = 64  # characters of a name in a message


def split_rows(names: Sequence[str], data: Rows, columns: Sequence[Column]) -> Rows:
    """Return rows whose values are in the order of `names`; raise InvalidInput that names the column."""
    places = _places(names, columns)
    for number, row in enumerate(data, 1):
        if len(row) != len(names):
            raise InvalidInput(f"expected {len(names)} values, one a column; got {len(row)} in row {number}")
    return [[row[place] for place in places] for row in data]


def column_rows(
    found: Mapping[str, Sequence[Cell | Sequence[Cell]]], columns: Sequence[Column], max_rows: int
) -> Rows:
    """Return the rows of columns, each of values or of lists of one value; raise InvalidInput."""
    _places(list(found), columns)
    check_count(max([len(values) for values in found.values()]), max_rows)
    values = [[_single(value, column) for value in found[column.name]] for column in columns]
    expected = len(values[0])
    for column, cells in zip(columns, values, strict=True):
        if len(cells) != expected:
            raise InvalidInput(
                f"column {column.name}: expected {expected} values, as in column {columns[0].name};"
                f" got {len(cells)}"
            )
    return list(zip(*values, strict=True))


def check_count(rows: int, most: int) -> None:
    """Raise InvalidInput if there are too many rows."""
    if rows > most:
        raise InvalidInput(f"expected at most {most} rows in one request; got {rows}")


def _places(names: Sequence[str], columns: Sequence[Column]) -> list[int]:
    """Return where each column's values are; raise InvalidInput for missing, repeated and unknown names."""
    known = {column.name for column in columns}
    for name, times in Counter(names).items():
        if name not in known:
            raise InvalidInput(f"{_expected(columns)}; there is no column {name[:_SHOWN]}")
        if times > 1:
            raise InvalidInput(f"{_expected(columns)}; column {name} is there {times} times")
    places = {name: place for place, name in enumerate(names)}
    for column in columns:
        if column.name not in places:
            raise InvalidInput(f"{_expected(columns)}; column {column.name} is missing")
    return [places[column.name] for column in columns]


def _expected(columns: Sequence[Column]) -> str:
    return f"expected the columns {', '.join([column.name for column in columns[:20]])}"


def _single(value: Cell | Sequence[Cell], column: Column) -> Cell:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return value
    if len(value) != 1:
        raise InvalidInput(f"column {column.name}: expected values, or lists of one; got one of {len(value)}")
    return value[0]
