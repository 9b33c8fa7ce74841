"""A prediction log of the first release gets the columns of classifiers, and goes on as before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.harness.processes.inference import Stores, prepare_log, stores

# As the first release has made and filled them.
FIRST_RELEASE = """
    DROP TABLE predictions, jobs CASCADE;
    CREATE TABLE predictions (
        id uuid NOT NULL, input_data jsonb NOT NULL, prediction jsonb NOT NULL, confidence jsonb NOT NULL,
        "timestamp" timestamptz NOT NULL, model_version integer NOT NULL, cached boolean NOT NULL,
        intervals jsonb NOT NULL, request_id text NOT NULL, latency double precision NOT NULL,
        PRIMARY KEY (id, "timestamp")
    ) PARTITION BY RANGE ("timestamp");
    CREATE TABLE predictions_default PARTITION OF predictions DEFAULT;
    CREATE TABLE jobs (
        id uuid PRIMARY KEY, state text NOT NULL DEFAULT 'pending', input_data jsonb NOT NULL,
        asked_version integer, request_id text NOT NULL, idempotency_key text UNIQUE,
        fingerprint bytea NOT NULL, submitted_at timestamptz NOT NULL, published_at timestamptz,
        attempts integer NOT NULL DEFAULT 0, worker text, lease_until timestamptz,
        finished_at timestamptz, model_version integer, answer jsonb, problem jsonb
    );
"""
INSERT = """
    INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                             model_version, cached, intervals, request_id, latency)
    SELECT gen_random_uuid(), '[[1]]', '[3]', '[1]', now(), 1, false, '[[2, 4]]', 'r', 0
      FROM generate_series(1, 5)
"""
COLUMNS = """
    SELECT attname FROM pg_attribute
     WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


@pytest.fixture
def real_stores() -> Iterator[Stores]:
    """A log of the first release, five rows of which have no partition of their own."""
    with stores() as started:
        started.sql(FIRST_RELEASE)
        started.sql(INSERT)
        yield started


def columns_of(real_stores: Stores, table: str) -> list[str]:
    """Return the names of a table's columns, in order."""
    return [name for (name,) in real_stores.sql(COLUMNS, table)]


def test_the_columns_come_last_and_rows_move_to_their_partitions(real_stores: Stores) -> None:
    """An api of the first release inserts as it did, before and after."""
    prepare_log(real_stores.postgres)
    real_stores.sql(INSERT, url=real_stores.inference_url)

    ((partition, rows),) = real_stores.sql(
        "SELECT tableoid::regclass::text, count(*) FROM predictions GROUP BY 1"
    )
    assert (partition != "predictions_default", rows) == (True, 10)
    names = columns_of(real_stores, "predictions")
    assert names == columns_of(real_stores, partition) == columns_of(real_stores, "predictions_default")
    assert names[:5] == ["id", "input_data", "prediction", "confidence", "timestamp"]
    assert names[-2:] == ["probabilities", "prediction_sets"]
    assert columns_of(real_stores, "jobs")[-1] == "columns"


def test_a_new_log_has_the_same_columns(real_stores: Stores) -> None:
    prepare_log(real_stores.postgres)
    upgraded = columns_of(real_stores, "predictions")
    real_stores.sql("DROP TABLE predictions, jobs CASCADE")

    prepare_log(real_stores.postgres)

    assert columns_of(real_stores, "predictions") == upgraded


def test_writers_go_on_while_a_long_reader_holds_up_the_change(real_stores: Stores) -> None:
    """A statement that waits for a table lock makes all writers wait behind it: so it does not wait long."""
    real_stores.sql("CREATE TABLE long_ago AS SELECT now() AS at")
    with closing(psycopg2.connect(real_stores.postgres.url("predictions"))) as reader:
        reader.cursor().execute("SELECT count(*) FROM predictions")  # its lock is held until the end
        upgrade = threading.Thread(target=prepare_log, args=[real_stores.postgres])
        upgrade.start()
        for _ in range(20):
            real_stores.sql("SET statement_timeout = 1000; " + INSERT)
        waited = "prediction_sets" not in columns_of(real_stores, "predictions")
        reader.rollback()
    upgrade.join()

    assert waited
    assert "prediction_sets" in columns_of(real_stores, "predictions")
    assert real_stores.sql("SELECT count(*) FROM predictions") == [(105,)]


def test_another_up_locks_nothing(real_stores: Stores) -> None:
    """It finds the columns there, so it does not wait for a reader."""
    prepare_log(real_stores.postgres)
    with closing(psycopg2.connect(real_stores.postgres.url("predictions"))) as reader:
        reader.cursor().execute("SELECT count(*) FROM predictions, jobs")

        prepare_log(real_stores.postgres)

        reader.rollback()
