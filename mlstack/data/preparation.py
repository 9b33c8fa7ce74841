"""Decides whether the demonstration's table must be generated. A user's table is never made or replaced."""

from __future__ import annotations

import json
from typing import Literal

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import count_rows, read_comment, table_exists
from mlstack.data.generation import COMMENT_PREFIX, Generation
from mlstack.runtime.refusals import DataRefused

Outcome = Literal["generated", "already there", "changed by hand", "not generated here"]


def prepare(connection: Connection, generation: Generation) -> tuple[Outcome, int | None]:
    """Generate the table unless it is up to date; return what was done and the number of rows.

    A table is replaced only if this step generated it and its number of rows has not changed since. The rows
    of a table that this step did not generate are not counted (None), because it may be very large. Raise
    DataRefused if another table or other columns than the demonstration's would have to be generated.
    """
    with connection.cursor() as cursor:  # excludes concurrent runs; the lock ends with the transaction
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (generation.table,))
    if not table_exists(connection, generation.table):
        return _generate(connection, generation)
    comment = read_comment(connection, generation.table)
    if not comment.startswith(COMMENT_PREFIX):
        return "not generated here", None
    rows = count_rows(connection, generation.table)
    if rows not in {0, json.loads(comment.removeprefix(COMMENT_PREFIX))["rows"]}:
        return "changed by hand", rows
    if comment == generation.comment and rows == generation.rows:
        return "already there", rows
    return _generate(connection, generation)


def _generate(connection: Connection, generation: Generation) -> tuple[Outcome, int]:
    if not generation.demonstration:
        columns = ", ".join((*generation.features, generation.target))
        raise DataRefused(
            f"there is no table {generation.table} of yours with the columns {columns}: create it and "
            "load your rows (docs/make-it-yours.md); only the demonstration (linear_data: x, y) is generated"
        )
    from mlstack.data.loading import load  # noqa: PLC0415 - imports NumPy

    return "generated", load(connection, generation)
