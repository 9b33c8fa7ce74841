"""Decides whether the training table must be generated. A table that this step did not generate is kept."""

from __future__ import annotations

import json
from typing import Literal

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import count_rows, read_comment, table_exists
from mlstack.data.generation import COMMENT_PREFIX, Generation
from mlstack.data.loading import load

Outcome = Literal["generated", "already there", "changed by hand", "not generated here"]


def prepare(connection: Connection, generation: Generation) -> tuple[Outcome, int | None]:
    """Generate the table unless it is up to date; return what was done and the number of rows.

    A table is replaced only if this step generated it and its number of rows has not changed since. The rows
    of a table that this step did not generate are not counted (None), because it may be very large.
    """
    with connection.cursor() as cursor:  # excludes concurrent runs; the lock ends with the transaction
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (generation.table,))
    if not table_exists(connection, generation.table):
        return "generated", load(connection, generation)
    comment = read_comment(connection, generation.table)
    if not comment.startswith(COMMENT_PREFIX):
        return "not generated here", None
    rows = count_rows(connection, generation.table)
    if rows not in {0, json.loads(comment.removeprefix(COMMENT_PREFIX))["rows"]}:
        return "changed by hand", rows
    if comment == generation.comment and rows == generation.rows:
        return "already there", rows
    return "generated", load(connection, generation)
