"""A prediction log that has been written for months: rows made by PostgreSQL itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2

from bench.stores import PREDICTIONS
from tests.harness.processes.store_process import PostgresServer

_MONTHS, _LAST_HOUR, _CHUNK = 6, 5_000, 500_000
_PARTITIONS = """
SELECT create_predictions_partition((date_trunc('month', now()) - make_interval(months => n))::date)
  FROM generate_series(0, %(months)s) AS n
"""
_FILL = """
INSERT INTO predictions
SELECT (lpad(to_hex(milliseconds), 12, '0') || '7' || left(hash, 3) || '8' || right(hash, 15))::uuid,
       jsonb_build_array(jsonb_build_array(x)), jsonb_build_array(2 * x + 1), '[0.993]',
       to_timestamp(milliseconds / 1000.0), 1, false,
       jsonb_build_array(jsonb_build_array(2 * x, 2 * x + 2)), hash, 0.001
  FROM generate_series(%(first)s, %(last)s) AS i,
       LATERAL (SELECT (%(start)s + (i::float8 / %(rows)s) * %(length)s)::bigint AS milliseconds,
                       20 * i::float8 / %(rows)s AS x,
                       md5(i::text) AS hash) AS made
"""


def make_partitions(server: PostgresServer) -> None:
    """Make the partitions of the months that the history covers."""
    ask(server, _PARTITIONS, {"months": _MONTHS})


def fill(server: PostgresServer, rows: int, progress: Callable[[str], None]) -> None:
    """Spread `rows` evenly over the months up to an hour ago, and a fixed number over the last hour."""
    now = int(time.time() * 1000)
    hour, month = 3_600_000, 30 * 86_400_000
    ask(server, "TRUNCATE predictions")
    parts = ((rows, now - _MONTHS * month, now - hour), (_LAST_HOUR, now - hour, now))
    for total, start, end in parts:
        for first in range(0, total, _CHUNK):
            last = min(first + _CHUNK, total) - 1
            span = {"first": first, "last": last, "rows": total, "start": start, "length": end - start}
            ask(server, _FILL, span)
            progress(f"filling: {last + 1} of {total} rows")
    for statement in ("VACUUM ANALYZE predictions", "CHECKPOINT"):
        server.execute(statement, PREDICTIONS)


def ask(server: PostgresServer, query: str, values: dict[str, int] | None = None) -> Any:
    """Run one statement in a transaction of its own; return the first value of its first row, if any."""
    with (
        closing(psycopg2.connect(server.url(PREDICTIONS))) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query, values)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None
