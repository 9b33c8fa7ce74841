"""Reads and writes the table of collected rows."""

from __future__ import annotations

import json
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import table_name
from mlstack.live.training_table import Collection

_INSERT = sql.SQL("""
INSERT INTO {table} AS old SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)
 WHERE {target} IS NOT NULL
ON CONFLICT (prediction_id, prediction_row)
DO UPDATE SET {target} = EXCLUDED.{target}, received = EXCLUDED.received
 WHERE old.{target} IS DISTINCT FROM EXCLUDED.{target}
""")
_DELETE = sql.SQL("""
DELETE FROM {table} AS old USING jsonb_populate_recordset(NULL::{table}, %s::jsonb) AS new
 WHERE new.{target} IS NULL
   AND (old.prediction_id, old.prediction_row) = (new.prediction_id, new.prediction_row)
""")


def newest_truth(training: Connection, collection: Collection) -> float:
    """Return when the newest collected true value came, in seconds since the epoch, 0 for none."""
    query = sql.SQL("SELECT coalesce(max(received), 0) FROM {}").format(table_name(collection.table))
    with training.cursor() as cursor:
        cursor.execute(query)
        (newest,) = cursor.fetchone() or (0.0,)
    return float(newest)


def write(training: Connection, collection: Collection, rows: list[dict[str, Any]]) -> int:
    """Add rows, replace those with another true value, delete those without one; return how many changed."""
    if not rows:
        return 0
    changed = 0
    fields = {"table": table_name(collection.table), "target": sql.Identifier(collection.target)}
    with training.cursor() as cursor:
        for statement in (_INSERT, _DELETE):
            cursor.execute(statement.format(**fields), (json.dumps(rows),))
            changed += cursor.rowcount
    return changed
