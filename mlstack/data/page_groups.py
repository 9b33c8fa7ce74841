"""A query of a plain table by which COPY sends one message for the rows of many pages, column by column.

A driver in Python handles a message per row otherwise, which costs more than all that is done with the row.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import table_name

_PAGES = 64  # of 8 KiB: some ten thousand short rows, and 30 MB if 1600 columns are all NULL
_TID_RANGE_SCAN = 140_000  # server version that has it; an older one would scan the table for every group
# A page number identifies a row only in a table without children. A role that may read some of the columns
# only may not read ctid. A row policy might hide rows before the range is applied.
_FITS = """
    SELECT coalesce(bool_or(amname = 'heap' AND relkind IN ('r', 'm') AND NOT relhassubclass
           AND NOT relrowsecurity AND has_table_privilege(pg_class.oid, 'SELECT')), false)
      FROM pg_class JOIN pg_am ON pg_am.oid = relam WHERE pg_class.oid = %s::regclass"""
# The inner query is a TID range scan: the pages of a group, in their order. Both tables have an alias, which
# keeps the names of a user's table and columns apart from ours.
_GROUPS = """
    SELECT rows.* FROM
           generate_series(0, pg_relation_size({regclass}) / current_setting('block_size')::int, {pages})
               AS groups (page),
           LATERAL (SELECT {cells} FROM {table} AS source
                     WHERE source.ctid >= format('(%s,0)', groups.page)::tid
                       AND source.ctid < format('(%s,0)', groups.page + {pages})::tid) AS rows"""


def has_pages(connection: Connection, name: str) -> bool:
    """Return whether the table can be read by ranges of its pages."""
    if connection.server_version < _TID_RANGE_SCAN:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_FITS, (table_name(name).as_string(connection),))
        return bool((cursor.fetchone() or (False,))[0])


def groups_query(connection: Connection, name: str, cells: Sequence[sql.Composed]) -> sql.Composed:
    """Return the query of groups of rows; a field has all values of one of `cells`: float8, never NULL."""
    group = "string_agg(float8send({}), '')"
    return sql.SQL(_GROUPS).format(
        regclass=sql.Literal(table_name(name).as_string(connection)),
        pages=sql.Literal(_PAGES),
        cells=sql.SQL(", ").join(sql.SQL(group).format(cell) for cell in cells),
        table=table_name(name),
    )
