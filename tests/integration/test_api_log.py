"""The prediction log's table: partitions by month that maintain themselves, and a role that may only add."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest

from tests.harness.processes.inference import Stores, prepare_log, stores

ROW = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                         model_version, cached, intervals, request_id, latency)
SELECT gen_random_uuid(), '[[1]]', '[3]', '[1]', {time}, 1, false, '[[2, 4]]', 'r', 0.001
"""


@pytest.fixture(scope="module")
def real_stores() -> Iterator[Stores]:
    """Both stores, undisturbed."""
    with stores() as started:
        yield started


@pytest.fixture(autouse=True)
def _empty(real_stores: Stores) -> None:
    for (name,) in real_stores.sql(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'predictions'::regclass"
    ):
        if name != "predictions_default":
            real_stores.sql(f"DROP TABLE {name}")
    real_stores.sql("TRUNCATE predictions")


def partitions(real_stores: Stores) -> dict[str, int]:
    """Return the rows of each partition."""
    return dict(real_stores.sql("SELECT tableoid::regclass::text, count(*) FROM predictions GROUP BY 1"))


def maintain(real_stores: Stores, keep_days: int = 0) -> None:
    """Run the maintenance as the api does: as its role."""
    real_stores.sql("SELECT maintain_predictions(%s)", keep_days, url=real_stores.inference_url)


def add(real_stores: Stores, time: str, rows: int = 1) -> None:
    """Add rows of that time, as the api's role."""
    query = ROW.format(time=time) + f" FROM generate_series(1, {rows})"
    real_stores.sql(query, url=real_stores.inference_url)


def test_partitions_are_made_ahead(real_stores: Stores) -> None:
    """This month and the next two; again is no error."""
    maintain(real_stores)
    maintain(real_stores)

    for months in range(3):
        add(real_stores, f"now() + interval '{months} months'")
    found = partitions(real_stores)
    assert len(found) == 3
    assert "predictions_default" not in found
    assert set(found.values()) == {1}


def test_a_missed_maintenance_loses_nothing(real_stores: Stores) -> None:
    """Rows without a partition wait in the default one, and move when their month's is made."""
    add(real_stores, "now()", rows=500)
    add(real_stores, "now() + interval '5 years'", rows=3)
    before = partitions(real_stores)
    ids = real_stores.sql("SELECT id FROM predictions ORDER BY id")

    maintain(real_stores)

    assert before == {"predictions_default": 503}
    after = partitions(real_stores)
    assert after.pop("predictions_default") == 3
    assert list(after.values()) == [500]
    assert real_stores.sql("SELECT id FROM predictions ORDER BY id") == ids


def test_a_row_that_moved_is_still_there_only_once(real_stores: Stores) -> None:
    """The id stays unique across the move: what comes again from the queue is not doubled."""
    add(real_stores, "now()")
    maintain(real_stores)

    real_stores.sql(
        "INSERT INTO predictions SELECT * FROM predictions ON CONFLICT DO NOTHING",
        url=real_stores.inference_url,
    )

    assert real_stores.sql("SELECT count(*) FROM predictions") == [(1,)]


def test_retention_drops_whole_months_and_old_rows_without_one(real_stores: Stores) -> None:
    """A month is dropped when its last day has expired; by default everything is kept."""
    maintain(real_stores)
    real_stores.sql(
        "SELECT create_predictions_partition(date_trunc('month', now() - interval '1 year')::date)"
    )
    add(real_stores, "now() - interval '1 year'", rows=10)
    add(real_stores, "now() - interval '3 years'", rows=10)
    add(real_stores, "now()", rows=10)

    maintain(real_stores, keep_days=0)
    kept = real_stores.sql("SELECT count(*) FROM predictions")
    maintain(real_stores, keep_days=90)

    assert kept == [(30,)]
    assert real_stores.sql("SELECT count(*) FROM predictions") == [(10,)]
    assert list(partitions(real_stores).values()) == [10]


def test_maintenance_waits_for_nobody_for_long(real_stores: Stores) -> None:
    """A reader that holds the table must not make the writers wait behind the maintenance."""
    reader = psycopg2.connect(real_stores.postgres.url("predictions"))
    try:
        reader.cursor().execute("SELECT count(*) FROM predictions")

        with pytest.raises(psycopg2.errors.LockNotAvailable):
            maintain(real_stores)
    finally:
        reader.close()

    maintain(real_stores)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE predictions SET confidence = '[1]'",
        "DELETE FROM predictions",
        "TRUNCATE predictions",
        "DROP TABLE predictions",
        "ALTER TABLE predictions DROP COLUMN latency",
        "SELECT * FROM predictions_default",
        "DELETE FROM predictions_default",
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "SELECT create_predictions_partition('2020-01-01')",
        "CREATE ROLE other",
        "COPY predictions TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "SET ROLE postgres",
    ],
)
def test_the_apis_role_may_add_and_read_and_nothing_else(real_stores: Stores, statement: str) -> None:
    """The api's role cannot change logged rows."""
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        real_stores.sql(statement, url=real_stores.inference_url)


def test_preparing_the_log_again_changes_nothing(real_stores: Stores) -> None:
    """It runs on every `up`."""
    maintain(real_stores)
    add(real_stores, "now()", rows=7)

    prepare_log(real_stores.postgres)

    assert list(partitions(real_stores).values()) == [7]


def test_the_latest_rows_come_from_an_index(real_stores: Stores) -> None:
    """For a log of any length: the newest ten, and the last hour, read no whole partition."""
    maintain(real_stores)
    add(real_stores, "now() - interval '1 second' * generate_series", rows=20_000)
    real_stores.sql("ANALYZE predictions")

    plan = real_stores.sql('EXPLAIN SELECT id FROM predictions ORDER BY "timestamp" DESC LIMIT 10')

    text = "\n".join(line for (line,) in plan)
    assert "Index Scan Backward using predictions_2" in text
    assert "Seq Scan on predictions_2" not in text
