"""Rows of the prediction log, as traffic of the last minutes has left them."""

from __future__ import annotations

from contextlib import closing

import psycopg2

from tests.harness.processes.inference import DATABASE, Stores

# In the first two seconds of the part of ten seconds that began so long ago; every other one from the cache.
_INSERT = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp", model_version, cached,
                         request_id, latency)
SELECT gen_random_uuid(), '[[1]]', '[1]', '[1]', begin + row * interval '2 s' / %(rows)s, 1, mod(row, 2) = 0,
       'counted', CASE WHEN row < %(slow)s THEN 0.5 ELSE 0.01 END
  FROM generate_series(0, %(rows)s - 1) AS row, date_bin('10 s', now() - %(ago)s::interval, 'epoch') AS begin
"""


def insert_rows(stores: Stores, ago: str, rows: int, slow: int = 0) -> None:
    """Log that many requests; the `slow` ones took half a second."""
    with closing(psycopg2.connect(stores.postgres.url(DATABASE))) as connection, connection:
        connection.cursor().execute(_INSERT, {"ago": ago, "rows": rows, "slow": slow})
