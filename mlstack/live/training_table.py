"""The table of collected rows, and the table of the user's rows with them.

That is a copy: a view would keep the user's table from being dropped or replaced.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import read_comment, table_exists, table_name
from mlstack.runtime.refusals import DataRefused
from mlstack.runtime.settings import SettingsError, env, env_list

COMMENT = "made by 30-collect_feedback.py from the true values of predictions"
_TYPES = """
SELECT attname, CASE typcategory WHEN 'N' THEN 'double precision' WHEN 'B' THEN 'boolean' ELSE 'text' END
  FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""


@dataclass(frozen=True)
class Collection:
    """Where the rows go: the user's table, its columns, and the table of collected rows."""

    source: str
    features: tuple[str, ...]
    target: str
    table: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The features and the target."""
        return (*self.features, self.target)

    @property
    def both(self) -> str:
        """The name of the table of the user's rows and the collected ones."""
        return f"{self.source}_with_feedback"


def read_collection() -> Collection:
    """Read FEEDBACK_TABLE and the DATA_… settings."""
    source, table = env("DATA_TABLE", "linear_data"), env("FEEDBACK_TABLE", "collected_feedback")
    found = Collection(source, env_list("DATA_FEATURES", "x"), env("DATA_TARGET", "y"), table)
    if table in {source, found.both}:
        raise SettingsError(f"FEEDBACK_TABLE must be another table than {table}")
    return found


def make(training: Connection, collection: Collection) -> None:
    """Make the table of collected rows, unless it is there; raise DataRefused if it is not this step's."""
    types = _types(training, collection)
    comment = f"{COMMENT}: {', '.join(f'{column} {types[column]}' for column in collection.columns)}"
    if table_exists(training, collection.table):
        if read_comment(training, collection.table) != comment:
            raise DataRefused(
                f"table {collection.table} was not made by this step for {', '.join(collection.columns)}:"
                " set another FEEDBACK_TABLE"
            )
        return
    with training.cursor() as cursor:
        cursor.execute(_CREATE.format(**_fields(collection, types), comment=sql.Literal(comment)))


def combine(training: Connection, collection: Collection) -> None:
    """Copy the user's rows and the collected ones into one table; raise DataRefused for another's table."""
    if table_exists(training, collection.both) and read_comment(training, collection.both) != COMMENT:
        raise DataRefused(f"table {collection.both} was not made by this step: rename it")
    fields = _fields(collection, _types(training, collection))
    with training.cursor() as cursor:
        cursor.execute(_COMBINE.format(**fields, comment=sql.Literal(COMMENT)))


def _types(training: Connection, collection: Collection) -> dict[str, str]:
    if not table_exists(training, collection.source):
        raise DataRefused(f"table {collection.source} does not exist: run data-prep, or set DATA_TABLE")
    with training.cursor() as cursor:
        cursor.execute(_TYPES, (table_name(collection.source).as_string(training),))
        types = dict(cursor.fetchall())
    missing = [column for column in collection.columns if column not in types]
    if missing:
        raise DataRefused(f"{collection.source}: there is no column {', '.join(missing)}")
    return types


_CREATE = sql.SQL("""
CREATE TABLE {table} ({typed}, prediction_id uuid, prediction_row integer, received double precision,
                      PRIMARY KEY (prediction_id, prediction_row));
COMMENT ON TABLE {table} IS {comment}
""")
# In one order: the same rows in another one would be another table to the training.
_COMBINE = sql.SQL("""
SET LOCAL synchronize_seqscans = off;
SET LOCAL max_parallel_workers_per_gather = 0;
DROP TABLE IF EXISTS {both};
CREATE TABLE {both} AS SELECT {cast} FROM {source}
  UNION ALL (SELECT {columns} FROM {table} ORDER BY prediction_id, prediction_row);
COMMENT ON TABLE {both} IS {comment}
""")
_INSERT = sql.SQL("""
INSERT INTO {table} AS old SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)
ON CONFLICT (prediction_id, prediction_row)
DO UPDATE SET {target} = EXCLUDED.{target}, received = EXCLUDED.received
 WHERE old.{target} IS DISTINCT FROM EXCLUDED.{target}
""")


def _fields(collection: Collection, types: dict[str, str]) -> dict[str, sql.Composable]:
    names = [(sql.Identifier(name), sql.SQL(types[name])) for name in collection.columns]
    return {
        "table": table_name(collection.table),
        "both": table_name(collection.both),
        "source": table_name(collection.source),
        "columns": sql.SQL(", ").join(name for name, _ in names),
        "typed": sql.SQL(", ").join(sql.SQL("{} {}").format(*each) for each in names),
        "cast": sql.SQL(", ").join(sql.SQL("{0}::{1} AS {0}").format(*each) for each in names),
    }


def newest_truth(training: Connection, collection: Collection) -> float:
    """Return when the newest collected true value came, in seconds since the epoch, 0 for none."""
    query = sql.SQL("SELECT coalesce(max(received), 0) FROM {}").format(table_name(collection.table))
    with training.cursor() as cursor:
        cursor.execute(query)
        (newest,) = cursor.fetchone() or (0.0,)
    return float(newest)


def write(training: Connection, collection: Collection, rows: list[dict[str, Any]]) -> int:
    """Add rows, and replace those with another true value; return how many of both."""
    if not rows:
        return 0
    statement = _INSERT.format(table=table_name(collection.table), target=sql.Identifier(collection.target))
    with training.cursor() as cursor:
        cursor.execute(statement, (json.dumps(rows),))
        return cursor.rowcount
