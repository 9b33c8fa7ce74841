"""Validation of the training table, by aggregate queries in PostgreSQL: no row is transferred."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.changed_kinds import find_changed_kinds, read_changed_columns
from mlstack.data.column_values import Counts, count_values
from mlstack.data.database import table_exists, table_name
from mlstack.data.table_columns import MISSING_TABLE, find_categories, find_kinds
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.runtime.settings import env, env_float, env_int, env_list

_DUPLICATE_ROWS = 1_000_000  # duplicates are counted among so many rows at most: a sample is enough


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
    max_categories: int = 100  # different values of a text column
    changed_columns: tuple[str, ...] = ()  # whose kind may differ from the served version's


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
        max_categories=env_int("DATA_MAX_CATEGORIES", 100, minimum=2),
        changed_columns=read_changed_columns(),
    )


def find_problems(
    connection: Connection, expected: Expectations, store: ModelStore | None = None
) -> list[str]:
    """Return one line per fault; an empty list means that the table is valid.

    With `store` a column of another kind than in the served version is a fault.
    """
    name = expected.table
    if not table_exists(connection, name):
        return [MISSING_TABLE.format(name)]
    columns, unusable = find_kinds(connection, name, (*expected.features, expected.target))
    if unusable:
        return unusable
    changed = find_changed_kinds(store, name, columns, expected.changed_columns) if store else []
    rows, counts = count_values(connection, name, columns, (expected.low, expected.high))
    found, findings = find_categories(connection, name, columns, expected.max_categories)
    if rows < expected.min_rows:
        findings.insert(0, f"{name}: {rows} rows are too few, DATA_MIN_ROWS asks for {expected.min_rows}")
    for column, seen in zip(columns, counts, strict=True):
        findings += _null_findings(f"{name}.{column.name}", rows, seen, column.name == expected.target)
        findings += _number_findings(f"{name}.{column.name}", rows, seen, expected)
    findings += _constant_findings(expected, found, counts[-1])
    return changed + findings + _duplicate_findings(connection, expected)


def _null_findings(column: str, rows: int, seen: Counts, is_target: bool) -> Iterator[str]:
    if rows and not seen.present:
        yield f"{column}: all {rows} values are NULL"
    elif is_target and seen.present < rows:
        yield f"{column}: {rows - seen.present} of {rows} values are NULL, and it is the target"


def _number_findings(column: str, rows: int, seen: Counts, expected: Expectations) -> Iterator[str]:
    if seen.nan:
        yield f"{column}: {seen.nan} of {rows} values are NaN"
    if seen.infinite:
        yield f"{column}: {seen.infinite} of {rows} values are infinite"
    if seen.outside:
        yield (
            f"{column}: {seen.outside} of {rows} values lie outside [{expected.low:g}, {expected.high:g}] "
            f"(found {seen.low:g} to {seen.high:g}): correct them, or DATA_MIN and DATA_MAX"
        )


def _constant_findings(expected: Expectations, found: list[Column], target: Counts) -> Iterator[str]:
    """Yield a finding if the target, a number or a category, is always the same."""
    constant = ""
    if target.low is not None and target.low == target.high:
        constant = f"{target.low:g}"
    for column in found:
        if column.name == expected.target and len(column.categories) == 1:
            constant = column.categories[0]
    if constant:
        yield f"{expected.table}.{expected.target}: every value is {constant}, there is nothing to learn"


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
