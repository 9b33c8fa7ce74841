"""The prediction log's table: partitions by month that maintain themselves, and a role that may only add."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import psycopg2
import pytest

from tests.harness.processes.inference import Stores, prepare_log, undisturbed
from tests.harness.processes.serving import eventually, publish_line

ROW = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                         model_version, cached, intervals, request_id, latency)
SELECT gen_random_uuid(), '[[1]]', '[3]', '[1]', {time}, 1, false, '[[2, 4]]', 'r', 0.001
"""


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


def maintain(real_stores: Stores, keep_days: int = 0) -> list[str]:
    """Run the maintenance as the api does, as its role; return what was dropped."""
    real_stores.sql("UPDATE retention SET log_days = %s", keep_days)
    ((dropped,),) = real_stores.sql("SELECT maintain_predictions()", url=real_stores.inference_url)
    assert isinstance(dropped, list)
    return dropped


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
    """A month is dropped when its last day has expired, and named; by default everything is kept."""
    maintain(real_stores)
    real_stores.sql(
        "SELECT create_predictions_partition(date_trunc('month', now() - interval '1 year')::date)"
    )
    add(real_stores, "now() - interval '1 year'", rows=10)
    add(real_stores, "now() - interval '3 years'", rows=10)
    add(real_stores, "now()", rows=10)

    kept = maintain(real_stores, keep_days=0)
    rows = real_stores.sql("SELECT count(*) FROM predictions")
    dropped = maintain(real_stores, keep_days=90)

    assert (kept, rows) == ([], [(30,)])
    assert len(dropped) == 2
    assert dropped[0].startswith("predictions_2")
    assert dropped[1] == "10 rows of predictions_default"
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


def test_the_api_logs_what_was_dropped_and_a_setting_that_does_not_count(
    real_stores: Stores, tmp_path: Path
) -> None:
    """One line names the partitions; another one says that the database keeps another number of days."""
    add(real_stores, "now() - interval '3 years'", rows=10)
    real_stores.sql("UPDATE retention SET log_days = 90")
    publish_line(tmp_path / "models", 2.0)

    with undisturbed(tmp_path / "models", tmp_path / "log", real_stores, RETENTION_DAYS=30) as api:
        assert eventually(lambda: b"RETENTION_DAYS" in api.log_path.read_bytes())

    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    (dropped,) = (line["dropped"] for line in lines if "dropped" in line)
    (ignored,) = (line for line in lines if "kept_days" in line)
    assert dropped == ["10 rows of predictions_default"]
    assert (ignored["level"], ignored["retention_days"], ignored["kept_days"]) == ("warning", 30, 90)


@pytest.mark.parametrize("days", [1, 0, -1, 2147483647])
def test_a_caller_cannot_say_how_long_the_log_is_kept(real_stores: Stores, days: int) -> None:
    """What an api of an earlier release asks for during an update is ignored: the days are the database's."""
    maintain(real_stores)
    add(real_stores, "now() - interval '2 years'", rows=10)

    real_stores.sql("SELECT maintain_predictions(%s)", days, url=real_stores.inference_url)

    assert real_stores.sql("SELECT count(*) FROM predictions") == [(10,)]


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"RETENTION_DAYS": "90", "JOBS_RETENTION_HOURS": "24"}, (90, 24)),
        ({"RETENTION_DAYS": "", "JOBS_RETENTION_HOURS": ""}, (0, 168)),
        ({}, (30, 12)),
    ],
)
def test_the_settings_reach_the_database_with_up(
    real_stores: Stores, settings: dict[str, str], kept: tuple[int, int]
) -> None:
    """By access.sql, on an existing volume too; an administrator who does not name them changes nothing."""
    real_stores.sql("UPDATE retention SET log_days = 30, job_hours = 12")

    prepare_log(real_stores.postgres, **settings)

    assert real_stores.sql("SELECT log_days, job_hours FROM retention") == [kept]


@pytest.mark.parametrize(
    ("name", "value"),
    [("RETENTION_DAYS", "-1"), ("RETENTION_DAYS", "90 days"), ("JOBS_RETENTION_HOURS", "0")],
)
def test_a_retention_that_is_no_number_is_refused_with_one_line(
    real_stores: Stores, name: str, value: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        prepare_log(real_stores.postgres, **{name: value})

    (line,) = refused.value.stderr.decode().splitlines()
    assert f"{name} must be a whole number of" in line


def test_a_log_of_an_earlier_release_is_brought_up_to_date(real_stores: Stores) -> None:
    """Its function took the days from the caller."""
    real_stores.sql(
        "DROP FUNCTION maintain_predictions(); DROP FUNCTION maintain_partitions; DROP TABLE retention"
    )
    real_stores.sql("""
        CREATE OR REPLACE FUNCTION maintain_predictions(keep_days integer) RETURNS void LANGUAGE plpgsql
        SECURITY DEFINER AS $$ BEGIN DELETE FROM predictions; END $$
    """)
    add(real_stores, "now()", rows=10)

    prepare_log(real_stores.postgres)
    maintain(real_stores, keep_days=90)
    real_stores.sql("SELECT maintain_predictions(1)", url=real_stores.inference_url)

    assert real_stores.sql("SELECT count(*) FROM predictions") == [(10,)]


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
