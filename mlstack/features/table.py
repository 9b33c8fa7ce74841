"""The feature table: columns derived from the training table, computed inside PostgreSQL."""

from __future__ import annotations

import json
from typing import Literal

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import count_rows, read_comment, table_exists, table_name
from mlstack.features.source import SourceType, source_types
from mlstack.features.terms import Features, Term
from mlstack.runtime.refusals import DataRefused

COMMENT_PREFIX = "made by 15-feature_engineering.py from "
Outcome = Literal["made", "already there"]
Scale = tuple[float, float]  # mean and standard deviation
# The text of a row, which is hashed, and the parts of a timestamp depend on these.
_SESSION = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'"
_DATE_PARTS = {
    "year": "extract(year FROM {})::float8",
    "month": "extract(month FROM {})::float8",
    "weekday": "extract(isodow FROM {})::float8",  # Monday is 1
    "days": "extract(epoch FROM {})::float8 / 86400",
}


def make_features(connection: Connection, features: Features) -> tuple[Outcome, int]:
    """Create the feature table unless it is up to date; return what was done and the number of rows.

    Only a table that this step created is ever replaced.
    """
    with connection.cursor() as cursor:  # excludes concurrent runs; the lock ends with the transaction
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (features.table,))
        cursor.execute(_SESSION)
    if not table_exists(connection, features.source):
        raise DataRefused(f"table {features.source} does not exist: run data-prep first")
    types = source_types(connection, features)
    scales = _scales(connection, features)
    comment = _comment(connection, features, types, scales)
    if table_exists(connection, features.table):
        found = read_comment(connection, features.table)
        if not found.startswith(COMMENT_PREFIX):
            raise DataRefused(f"table {features.table} was not made by this step: set another FEATURE_TABLE")
        if found == comment:
            return "already there", count_rows(connection, features.table)
    return "made", _write(connection, features, _columns(features, types, scales), comment)


def _comment(
    connection: Connection, features: Features, types: dict[str, SourceType], scales: dict[str, Scale]
) -> str:
    """Return the table's comment: everything its rows depend on, and the scales that clients must apply."""
    others = {name: found.name for name, found in types.items() if not found.is_number}
    content: dict[str, object] = {
        "source": features.source,
        "rows": _fingerprint(connection, features),
        "target": features.target,
        "terms": {term.name: term.text for term in features.terms},
        "standardised": scales,
        **({"types": others} if others else {}),  # a table of numbers has the comment it always had
    }
    return COMMENT_PREFIX + json.dumps(content, sort_keys=True)


def _fingerprint(connection: Connection, features: Features) -> list[str]:
    """Return the number of source rows and an order-independent hash of them."""
    columns = sql.SQL(", ").join(map(sql.Identifier, (*features.columns, features.target)))
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0) FROM {table}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query.format(columns=columns, table=table_name(features.source)))
        return [str(number) for number in cursor.fetchone() or ()]


def _scales(connection: Connection, features: Features) -> dict[str, Scale]:
    """Return mean and population standard deviation of every column that is standardised."""
    columns = [term.left for term in features.terms if term.function == "z"]
    scales: dict[str, Scale] = {}
    for column in dict.fromkeys(columns):
        query = sql.SQL("SELECT avg({column}::float8), stddev_pop({column}::float8) FROM {table}")
        with connection.cursor() as cursor:
            cursor.execute(query.format(column=sql.Identifier(column), table=table_name(features.source)))
            mean, deviation = cursor.fetchone() or (None, None)
        if not deviation:
            raise DataRefused(
                f"{features.source}.{column}: every value is the same, it cannot be standardised"
            )
        scales[column] = (mean, deviation)
    return scales


def _write(connection: Connection, features: Features, columns: sql.Composed, comment: str) -> int:
    """Fill a new table, then rename it to the old name; return its number of rows."""
    *schema, name = features.table.split(".")
    fields = {
        "draft": sql.Identifier(*schema, f"{name}_draft"), "columns": columns,
        "source": table_name(features.source), "table": table_name(features.table),
        "name": sql.Identifier(name), "comment": sql.Literal(comment),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE {draft} AS SELECT {columns} FROM {source}").format(**fields))
        rows = cursor.rowcount
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {table}").format(**fields))
        cursor.execute(sql.SQL("ALTER TABLE {draft} RENAME TO {name}").format(**fields))
        cursor.execute(sql.SQL("COMMENT ON TABLE {table} IS {comment}").format(**fields))
    return rows


def _columns(features: Features, types: dict[str, SourceType], scales: dict[str, Scale]) -> sql.Composed:
    """Return what the feature table selects: a column per term, and the target."""
    terms = (*features.terms, Term(features.target, features.target))
    return sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(_expression(term, types, scales), sql.Identifier(term.name))
        for term in terms
    )


def _expression(term: Term, types: dict[str, SourceType], scales: dict[str, Scale]) -> sql.Composed:
    if term.function in _DATE_PARTS:
        return sql.SQL(_DATE_PARTS[term.function]).format(sql.Identifier(term.left))
    if not types[term.left].is_number:
        return sql.Composed([sql.Identifier(term.left)])
    left = sql.SQL("{}::float8").format(sql.Identifier(term.left))
    if term.function == "z":
        mean, deviation = (sql.Literal(value) for value in scales[term.left])
        return sql.SQL("({} - {}) / {}").format(left, mean, deviation)
    if term.right is not None:
        return sql.SQL("{} * {}::float8").format(left, sql.Identifier(term.right))
    return sql.SQL(" * ").join([left] * term.power)
