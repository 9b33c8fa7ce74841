"""The table of collected rows, and the table of the training's own rows with them.

That is a copy: a view would keep the training's table from being dropped or replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import read_comment, table_exists, table_name
from mlstack.data.table_columns import MISSING_TABLE, find_kinds
from mlstack.registry.columns import Kind
from mlstack.runtime.refusals import DataRefused
from mlstack.runtime.settings import SettingsError, env, env_list

COMMENT = "made by 30-collect_feedback.py from the true values of predictions"
_SUFFIX = "_with_feedback"
_TYPES: dict[Kind, str] = {"number": "double precision", "boolean": "boolean", "category": "text"}


@dataclass(frozen=True)
class Collection:
    """Where the rows go: the table the model learns from, its columns, and the table of collected rows."""

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
        """The name of the table of the training's own rows and the collected ones."""
        return f"{self.source}{_SUFFIX}"


def read_collection() -> Collection:
    """Read FEEDBACK_TABLE and the DATA_… settings, which are the training's.

    Where the training learns from a table that this step made already, the source is the one it was made of.
    """
    source = env("DATA_TABLE", "linear_data").removesuffix(_SUFFIX)
    table = env("FEEDBACK_TABLE", "collected_feedback")
    found = Collection(source, env_list("DATA_FEATURES", "x"), env("DATA_TARGET", "y"), table)
    if table in {source, found.both}:
        raise SettingsError(f"FEEDBACK_TABLE must be another table than {table}")
    return found


def make(training: Connection, collection: Collection) -> dict[str, Kind]:
    """Make the table of collected rows, unless it is there; return the kinds of its columns.

    One of other columns is set aside under another name, and taken back when its columns are asked for again.
    Raise DataRefused if the table is not this step's, or if the columns are not there.
    """
    kinds = _kinds(training, collection)
    comment = f"{COMMENT}: {', '.join(f'{name} {_TYPES[kind]}' for name, kind in kinds.items())}"
    if table_exists(training, collection.table):
        found = read_comment(training, collection.table)
        if found == comment:
            return kinds
        if not found.startswith(f"{COMMENT}: "):
            raise DataRefused(
                f"table {collection.table} was not made by this step: set another FEEDBACK_TABLE"
            )
        _rename(training, collection.table, _aside(collection.table, found))
    aside = _aside(collection.table, comment)
    if table_exists(training, aside):
        _rename(training, aside, collection.table)
        return kinds
    with training.cursor() as cursor:
        cursor.execute(_CREATE.format(**_fields(collection, kinds), comment=sql.Literal(comment)))
    return kinds


def combine(training: Connection, collection: Collection, kinds: Mapping[str, Kind]) -> None:
    """Copy the source's rows and the collected ones into one table; raise DataRefused for another's table."""
    if table_exists(training, collection.both) and read_comment(training, collection.both) != COMMENT:
        raise DataRefused(f"table {collection.both} was not made by this step: rename it")
    with training.cursor() as cursor:
        cursor.execute(_COMBINE.format(**_fields(collection, kinds), comment=sql.Literal(COMMENT)))


def _kinds(training: Connection, collection: Collection) -> dict[str, Kind]:
    if not table_exists(training, collection.source):
        raise DataRefused(MISSING_TABLE.format(collection.source))
    columns, findings = find_kinds(training, collection.source, collection.columns)
    if findings:
        raise DataRefused(*findings)
    return {column.name: column.kind for column in columns}


def _aside(table: str, comment: str) -> str:
    """Return the name under which the table of these columns is kept while other columns are collected."""
    return f"{table}_{hashlib.sha256(comment.encode()).hexdigest()[:8]}"


def _rename(training: Connection, table: str, name: str) -> None:
    rename = sql.SQL("ALTER TABLE {} RENAME TO {}")
    with training.cursor() as cursor:
        cursor.execute(rename.format(table_name(table), sql.Identifier(name.rsplit(".", maxsplit=1)[-1])))


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


def _fields(collection: Collection, kinds: Mapping[str, Kind]) -> dict[str, sql.Composable]:
    names = [(sql.Identifier(name), sql.SQL(_TYPES[kind])) for name, kind in kinds.items()]
    return {
        "table": table_name(collection.table),
        "both": table_name(collection.both),
        "source": table_name(collection.source),
        "columns": sql.SQL(", ").join(name for name, _ in names),
        "typed": sql.SQL(", ").join(sql.SQL("{} {}").format(*each) for each in names),
        "cast": sql.SQL(", ").join(sql.SQL("{0}::{1} AS {0}").format(*each) for each in names),
    }
