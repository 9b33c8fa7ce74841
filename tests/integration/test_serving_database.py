"""The Flask server with the training database: sample rows, and outages of the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes.outage import frozen, stopped
from tests.harness.processes.serving import ServingProcess, eventually, publish_line, serving
from tests.harness.processes.store_process import PostgresServer
from tests.harness.processes.stores import postgres_server

TABLE = """
CREATE TABLE linear_data (x double precision, y double precision);
INSERT INTO linear_data SELECT n, 2 * n + 1 FROM generate_series(1, 1500) AS n;
CREATE ROLE reader LOGIN PASSWORD 'reader';
GRANT SELECT ON linear_data TO reader;
"""


OUTAGES = {"stopped": stopped, "frozen": frozen}


@dataclass
class Pair:
    """The server and its database."""

    server: ServingProcess
    database: PostgresServer

    def sample(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the rows of GET /data/sample."""
        answer = self.server.client.get("/data/sample", params={} if limit is None else {"limit": limit})
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return rows

    def status(self) -> str:
        """Return the status of GET /health."""
        return str(self.server.client.get("/health").json()["status"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A separate database, so that it may be stopped; the server reads as the role `reader`."""
    root: Path = tmp_path_factory.mktemp("database")
    publish_line(root / "models", 2.0)
    with postgres_server() as database:
        database.execute(TABLE)
        url = database.url(user="reader", password="reader")
        with serving(root / "models", root / "log", url) as server:
            yield Pair(server, database)


@pytest.mark.parametrize(("limit", "rows"), [(None, 10), (1, 1), (1000, 1000)])
def test_a_sample_has_as_many_rows_as_asked_for(pair: Pair, limit: int | None, rows: int) -> None:
    """Ten by default."""
    sample = pair.sample(limit)

    assert len(sample) == rows
    assert all(row["y"] == 2 * row["x"] + 1 for row in sample)


def test_with_database_and_model_the_server_is_healthy(pair: Pair) -> None:
    """The health check names both."""
    assert pair.server.client.get("/health").json() == {
        "status": "healthy",
        "database": "connected",
        "model": "loaded",
        "model_version": 1,
    }


def test_a_nan_in_the_table_is_null_in_the_sample(pair: Pair) -> None:
    """JSON has no NaN; a column of any type is shown."""
    pair.database.execute("CREATE TABLE saved AS TABLE linear_data")
    pair.database.execute("TRUNCATE linear_data")
    pair.database.execute("ALTER TABLE linear_data ADD COLUMN day date")
    pair.database.execute("INSERT INTO linear_data VALUES ('NaN', 'Infinity', '2024-05-01')")
    try:
        assert pair.sample() == [{"x": None, "y": None, "day": "2024-05-01"}]
    finally:
        pair.database.execute("TRUNCATE linear_data")
        pair.database.execute("ALTER TABLE linear_data DROP COLUMN day")
        pair.database.execute("INSERT INTO linear_data TABLE saved")
        pair.database.execute("DROP TABLE saved")


def test_a_missing_table_is_503_and_says_so(pair: Pair) -> None:
    """The pipeline may not have made it yet."""
    pair.database.execute("ALTER TABLE linear_data RENAME TO elsewhere")
    try:
        answer = pair.server.client.get("/data/sample")
    finally:
        pair.database.execute("ALTER TABLE elsewhere RENAME TO linear_data")

    assert answer.status_code == 503
    assert "linear_data" in answer.json()["detail"]
    assert pair.sample(1)


@pytest.mark.parametrize("stop", OUTAGES)
def test_predictions_outlive_the_database(pair: Pair, stop: str) -> None:
    """Every endpoint answers within a second during an outage, and recovers automatically."""
    assert pair.sample(1)
    with OUTAGES[stop](pair.database):
        for path, status in [("/data/sample", 503), ("/health", 200), ("/readyz", 200)] * 3:
            begin = time.perf_counter()
            answer = pair.server.client.get(path)

            assert time.perf_counter() - begin < 1, path
            assert answer.status_code == status, path
        assert eventually(lambda: pair.status() == "degraded")
        assert pair.server.predict({"values": [5]}).status_code == 200

    assert eventually(lambda: pair.status() == "healthy")
    assert eventually(lambda: pair.server.client.get("/data/sample").status_code == 200)
