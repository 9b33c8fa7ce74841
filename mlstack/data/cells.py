"""SQL expressions that encode a column's values as float8, as mlstack/registry/columns.py says."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from psycopg2 import sql

from mlstack.registry.columns import UNSEEN, Column

_NUMBER = "coalesce({column}::float8, 'NaN')"
_BOOLEAN = "coalesce({column}::int::float8, 'NaN')"
_CATEGORY = """CASE WHEN {column} IS NULL THEN 'NaN' ELSE
    coalesce(array_position({categories}::text[], {column}::text COLLATE "C") - 1, {unseen})::float8 END"""


def cell(column: str | Column) -> sql.Composed:
    """Return the expression for a column; one that is only named is a number."""
    name = sql.Identifier(column_name(column))
    if isinstance(column, str) or column.kind == "number":
        return sql.SQL(_NUMBER).format(column=name)
    if column.kind == "boolean":
        return sql.SQL(_BOOLEAN).format(column=name)
    return sql.SQL(_CATEGORY).format(
        column=name, categories=sql.Literal(list(column.categories)), unseen=sql.Literal(int(UNSEEN))
    )


def column_name(column: str | Column) -> str:
    """Return the name of a column, which may be given by its name only."""
    return column if isinstance(column, str) else column.name


def schema_bytes(columns: Sequence[str | Column]) -> bytes:
    """Return what the encoded values depend on beside the table, nothing if all columns are plain numbers."""
    described = [column for column in columns if isinstance(column, Column)]
    if all(column.plain for column in described):
        return b""
    return b"\0" + msgspec.json.encode([(each.name, each.kind, each.categories) for each in described])
