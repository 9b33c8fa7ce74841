"""The columns of a table as a model sees them: numbers, booleans and categories, by PostgreSQL type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.column_values import with_values
from mlstack.data.database import table_exists, table_name
from mlstack.registry.columns import Column, Kind
from mlstack.runtime.refusals import DataRefused

MISSING_TABLE = "table {} does not exist: run data-prep, or set DATA_TABLE to the table you made"
_FIRST_ROWS = 10_000
LONGEST_CATEGORY = 200  # characters; the manifest holds every category
_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric")
_TEXTS = ("text", "varchar", "bpchar")
_TIMES = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
# The base type of a domain is what counts; enumerations are of kind e.
_TYPES = """
    SELECT attname, coalesce(base.typname, own.typname), coalesce(base.typtype, own.typtype) = 'e'
      FROM pg_attribute JOIN pg_type AS own ON own.oid = atttypid
      LEFT JOIN pg_type AS base ON base.oid = nullif(own.typbasetype, 0)
     WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


class Found(NamedTuple):
    """The usable columns among those that were asked for, and one line per fault of the others."""

    columns: list[Column]
    findings: list[str]


def read_columns(
    connection: Connection, table: str, names: Sequence[str], most_categories: int
) -> tuple[Column, ...]:
    """Return the columns with their categories, NULLs and ranges, by one scan and one per text column.

    Raise DataRefused with one line per column that a model cannot use.
    """
    return tuple(with_values(connection, table, read_kinds(connection, table, names, most_categories)))


def read_kinds(
    connection: Connection, table: str, names: Sequence[str], most_categories: int
) -> tuple[Column, ...]:
    """Return the columns with their categories; raise DataRefused as read_columns does."""
    if not table_exists(connection, table):
        raise DataRefused(MISSING_TABLE.format(table))
    typed = find_kinds(connection, table, names)
    if typed.findings:
        raise DataRefused(*typed.findings)
    found = find_categories(connection, table, typed.columns, most_categories)
    if found.findings:
        raise DataRefused(*found.findings)
    return tuple(found.columns)


def begins_with_nulls(connection: Connection, table: str, columns: Sequence[Column]) -> bool:
    """Return whether there is a NULL in the columns' first rows, which is quick to find out."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM (SELECT {} FROM {} LIMIT {}) AS rows WHERE {})").format(
        sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
        table_name(table),
        sql.Literal(_FIRST_ROWS),
        sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(column.name)) for column in columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return bool((cursor.fetchone() or (False,))[0])


def find_kinds(connection: Connection, table: str, names: Sequence[str]) -> Found:
    """Return each column's kind by its type."""
    with connection.cursor() as cursor:
        cursor.execute(_TYPES, (table_name(table).as_string(connection),))
        types = {name: (typename, enumeration) for name, typename, enumeration in cursor.fetchall()}
    found = Found([], [])
    for name in names:
        kind = _kind(*types[name]) if name in types else None
        if kind is not None:
            found.columns.append(Column(name=name, kind=kind))
        elif name not in types:
            there = ", ".join(types) or "none"
            found.findings.append(f"{table}: there is no column {name} (there are {there})")
        else:
            found.findings.append(_unusable(f"{table}.{name}", types[name][0]))
    return found


def find_categories(
    connection: Connection, table: str, columns: Sequence[Column], most_categories: int
) -> Found:
    """Return the columns, those of kind category with their categories in the order of code points."""
    found = Found([], [])
    for column in columns:
        if column.kind != "category":
            found.columns.append(column)
            continue
        values = _distinct(connection, table, column.name, most_categories + 1)
        faults = list(_category_faults(f"{table}.{column.name}", values, most_categories))
        found.findings.extend(faults)
        if not faults:
            found.columns.append(Column(name=column.name, kind="category", categories=values))
    return found


def _kind(typename: str, enumeration: bool) -> Kind | None:
    if typename in _NUMBERS:
        return "number"
    if typename == "bool":
        return "boolean"
    return "category" if enumeration or typename in _TEXTS else None


def _unusable(column: str, typename: str) -> str:
    if typename in _TIMES:
        return (
            f"{column}: is of type {typename}: derive numbers from it (year, month, weekday, elapsed days) "
            "with step 15, feature-engineering, and train on those"
        )
    return f"{column}: is of type {typename}, expected numbers, booleans or text"


def _category_faults(column: str, values: tuple[str, ...], most: int) -> Iterator[str]:
    if len(values) > most:
        yield (
            f"{column}: has more than {most} different values, which DATA_MAX_CATEGORIES allows: "
            "leave the column out, group its values, or raise the limit"
        )
    elif any(len(value) > LONGEST_CATEGORY for value in values):
        yield f"{column}: holds texts of more than {LONGEST_CATEGORY} characters, which are no categories"


def _distinct(connection: Connection, table: str, column: str, limit: int) -> tuple[str, ...]:
    query = sql.SQL(
        'SELECT DISTINCT left({column}::text, {longest}) COLLATE "C" AS value FROM {table}'
        " WHERE {column} IS NOT NULL ORDER BY value LIMIT {limit}"
    ).format(
        column=sql.Identifier(column),
        table=table_name(table),
        longest=sql.Literal(LONGEST_CATEGORY + 1),
        limit=sql.Literal(limit),
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return tuple(value for (value,) in cursor.fetchall())
