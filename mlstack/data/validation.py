"""Validation of the training table, by aggregate queries in PostgreSQL: no row is transferred."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import table_exists, table_name
from mlstack.runtime.settings import env, env_float, env_int, env_list

_NUMERIC = ("int2", "int4", "int8", "float4", "float8", "numeric")
_DUPLICATE_ROWS = 1_000_000  # duplicates are counted among so many rows at most: a sample is enough

_COLUMN = """
    count({column}),
    count(*) FILTER (WHERE {column}::float8 = 'NaN'),
    count(*) FILTER (WHERE {column}::float8 IN ('Infinity', '-Infinity')),
    min({column}::float8) FILTER (WHERE {finite}),
    max({column}::float8) FILTER (WHERE {finite}),
    count(*) FILTER (WHERE {finite} AND NOT {column}::float8 BETWEEN {low} AND {high})"""
_FINITE = "{column}::float8 NOT IN ('NaN', 'Infinity', '-Infinity')"


@dataclass(frozen=True)
class Expectations:
    """Conditions that a table must meet before a model is trained on it."""

    table: str = "linear_data"
    features: tuple[str, ...] = ("x",)
    target: str = "y"
    min_rows: int = 20
    low: float = float("-inf")  # every feature lies in [low, high]
    high: float = float("inf")
    max_duplicates: float = 0.5  # share of the rows whose features repeat those of another row


def read_expectations() -> Expectations:
    """Read the DATA_… settings; an empty DATA_MIN or DATA_MAX is no limit."""
    return Expectations(
        table=env("DATA_TABLE", "linear_data"),
        features=env_list("DATA_FEATURES", "x"),
        target=env("DATA_TARGET", "y"),
        min_rows=env_int("DATA_MIN_ROWS", 20, minimum=4),
        low=env_float("DATA_MIN", 0.0, minimum=-1e300) if env("DATA_MIN", "") else float("-inf"),
        high=env_float("DATA_MAX", 0.0, minimum=-1e300) if env("DATA_MAX", "") else float("inf"),
        max_duplicates=env_float("DATA_MAX_DUPLICATES", 0.5),
    )


def find_problems(connection: Connection, expected: Expectations) -> list[str]:
    """Return one line per fault; an empty list means that the table is valid."""
    name = expected.table
    if not table_exists(connection, name):
        return [f"table {name} does not exist: run data-prep, or set DATA_TABLE to the table you made"]
    wrong_columns = list(_wrong_columns(connection, expected))
    if wrong_columns:
        return wrong_columns
    columns = (*expected.features, expected.target)
    rows, *numbers = _aggregates(connection, expected, columns)
    findings = []
    if rows < expected.min_rows:
        findings.append(f"{name}: {rows} rows are too few, DATA_MIN_ROWS asks for {expected.min_rows}")
    for position, column in enumerate(columns):
        counts = numbers[6 * position : 6 * position + 6]
        findings += _column_findings(f"{name}.{column}", rows, counts, expected)
    low, high = numbers[-3:-1]
    if low is not None and low == high:
        findings.append(f"{name}.{expected.target}: every value is {low:g}, there is nothing to learn")
    return findings + _duplicate_findings(connection, expected)


def _column_findings(column: str, rows: int, counts: list[Any], expected: Expectations) -> Iterator[str]:
    present, nan, infinite, low, high, outside = counts
    if present < rows:
        yield f"{column}: {rows - present} of {rows} values are NULL"
    if nan:
        yield f"{column}: {nan} of {rows} values are NaN"
    if infinite:
        yield f"{column}: {infinite} of {rows} values are infinite"
    if outside:
        yield (
            f"{column}: {outside} of {rows} values lie outside [{expected.low:g}, {expected.high:g}] "
            f"(found {low:g} to {high:g}): correct them, or DATA_MIN and DATA_MAX"
        )


def _wrong_columns(connection: Connection, expected: Expectations) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, typname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (table_name(expected.table).as_string(connection),),
        )
        types = dict(cursor.fetchall())
    for column in (*expected.features, expected.target):
        if column not in types:
            yield f"{expected.table}: there is no column {column} (there are {', '.join(types) or 'none'})"
        elif types[column] not in _NUMERIC:
            yield f"{expected.table}.{column}: is of type {types[column]}, not a number"


def _aggregates(connection: Connection, expected: Expectations, columns: tuple[str, ...]) -> list[Any]:
    """Return the number of rows, then six numbers per column (see _COLUMN), from one scan of the table."""
    expressions = []
    for name in columns:
        free = name == expected.target
        column = sql.Identifier(name)
        low, high = (float("-inf"), float("inf")) if free else (expected.low, expected.high)
        finite = sql.SQL(_FINITE).format(column=column)
        expressions.append(
            sql.SQL(_COLUMN).format(column=column, finite=finite, low=_float8(low), high=_float8(high))
        )
    query = sql.SQL("SELECT count(*), {} FROM {}").format(
        sql.SQL(", ").join(expressions), table_name(expected.table)
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchone() or [])


def _duplicate_findings(connection: Connection, expected: Expectations) -> list[str]:
    features = sql.SQL(", ").join(map(sql.Identifier, expected.features))
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM"
        " (SELECT {features} FROM {table} LIMIT {limit}) AS rows GROUP BY {features}) AS groups"
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
        cursor.execute(
            query.format(
                features=features, table=table_name(expected.table), limit=sql.Literal(_DUPLICATE_ROWS)
            )
        )
        different, rows = cursor.fetchone() or (0, 0)
    share = 1 - different / rows if rows else 0.0
    if share <= expected.max_duplicates:
        return []
    repeated = f"{share:.0%} of the rows repeat the {', '.join(expected.features)} of another"
    return [f"{expected.table}: {repeated}, DATA_MAX_DUPLICATES allows {expected.max_duplicates:.0%}"]


def _float8(value: float) -> sql.Composed:
    return sql.SQL("{}::float8").format(sql.Literal(str(value)))
