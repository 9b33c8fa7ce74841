"""What the rows of a table show of its columns, by aggregate queries in PostgreSQL: no row is transferred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import table_name
from mlstack.registry.columns import Column

_FINITE = "{column}::float8 NOT IN ('NaN', 'Infinity', '-Infinity')"
_COUNTS = """
    count({column}),
    count(*) FILTER (WHERE {column}::float8 = 'NaN'),
    count(*) FILTER (WHERE {column}::float8 IN ('Infinity', '-Infinity')),
    min({column}::float8) FILTER (WHERE {finite}),
    max({column}::float8) FILTER (WHERE {finite}),
    count(*) FILTER (WHERE {finite} AND NOT {column}::float8 BETWEEN {low} AND {high})"""


class Counts(NamedTuple):
    """Of a column: values that are not NULL; for numbers also NaN, infinite, outside the limits, range."""

    present: int
    nan: int
    infinite: int
    low: float | None
    high: float | None
    outside: int


def count_values(
    connection: Connection, table: str, columns: Sequence[Column], limits: tuple[float, float]
) -> tuple[int, list[Counts]]:
    """Return the number of rows, and the counts of each column, from one scan of the table.

    The last column is the target, which has no limits.
    """
    no_limits = (float("-inf"), float("inf"))
    parts = [_counts(column, limits) for column in columns[:-1]] + [_counts(columns[-1], no_limits)]
    query = sql.SQL("SELECT count(*), {} FROM {}").format(sql.SQL(", ").join(parts), table_name(table))
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows, *numbers = cursor.fetchone() or (0,)
    size = len(Counts._fields)
    return rows, [Counts(*numbers[start : start + size]) for start in range(0, len(numbers), size)]


def _counts(column: Column, limits: tuple[float, float]) -> sql.Composed:
    name = sql.Identifier(column.name)
    if column.kind != "number":
        return sql.SQL("count({column}), 0, 0, NULL, NULL, 0").format(column=name)
    low, high = map(_float8, limits)
    finite = sql.SQL(_FINITE).format(column=name)
    return sql.SQL(_COUNTS).format(column=name, finite=finite, low=low, high=high)


def _float8(value: float) -> sql.Composed:
    return sql.SQL("{}::float8").format(sql.Literal(str(value)))


def with_values(connection: Connection, table: str, columns: Sequence[Column]) -> Iterator[Column]:
    """Yield the columns with what the rows show: whether there are NULLs, and the range of numbers."""
    parts = [_measures(column) for column in columns]
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(parts), table_name(table))
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[Any, ...] = cursor.fetchone() or ()
    for position, column in enumerate(columns):
        nulls, low, high = row[3 * position : 3 * position + 3]
        yield Column(
            name=column.name,
            kind=column.kind,
            nullable=bool(nulls),
            categories=column.categories,
            low=low,
            high=high,
        )


def _measures(column: Column) -> sql.Composed:
    form = "bool_or({column} IS NULL), NULL, NULL"
    if column.kind == "number":
        form = f"bool_or({{column}} IS NULL), min({{column}}::float8) FILTER (WHERE {_FINITE}),"
        form += f" max({{column}}::float8) FILTER (WHERE {_FINITE})"
    return sql.SQL(form).format(column=sql.Identifier(column.name))
