"""Deciding whether the training table must be generated; a table of somebody else's is never touched."""

from __future__ import annotations

import json
from typing import Literal

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import count_rows, read_comment, table_exists
from mlstack.data.generation import MARK, Generation
from mlstack.data.loading import load

Outcome = Literal["generated", "already there", "changed by hand", "not ours"]


def prepare(connection: Connection, generation: Generation) -> tuple[Outcome, int | None]:
    """Make the table hold the generated rows; return what was done and how many rows there are now.

    None stands for not counted: a table of somebody else's may be huge.

    Only a table that we generated, and that nobody added to or deleted from since, is ever replaced.
    """
    with connection.cursor() as cursor:  # one at a time; the lock ends with the transaction
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (generation.table,))
    if not table_exists(connection, generation.table):
        return "generated", load(connection, generation)
    mark = read_comment(connection, generation.table)
    if not mark.startswith(MARK):
        return "not ours", None
    rows = count_rows(connection, generation.table)
    if rows not in {0, json.loads(mark.removeprefix(MARK))["rows"]}:
        return "changed by hand", rows
    if mark == generation.mark and rows == generation.rows:
        return "already there", rows
    return "generated", load(connection, generation)
