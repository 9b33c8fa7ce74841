"""Step 95 as a service: its metrics, its report, and that it survives outages."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg2
import pytest

from tests.harness.processes.drift_log import like_training, log_predictions, monitor
from tests.harness.processes.steps import Steps
from tests.harness.stack.waiting import wait_until


@pytest.fixture
def service(trained: Steps, log_url: str) -> Iterator[httpx.Client]:
    """The monitor, after 300 rows."""
    log_predictions(log_url, trained.model_dir, like_training(300))
    with monitor(log_url, trained.database_url, trained.model_dir) as (_, client):
        wait_until(lambda: _metric(client, "drift_window_rows") == 300, 60, "a first pass")
        yield client


def _metric(client: httpx.Client, sample: str) -> float | None:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} ")), None)


def test_the_metrics_tell_what_the_last_pass_found(service: httpx.Client) -> None:
    assert _metric(service, "drift_sufficient_data") == 1
    assert _metric(service, "drift_training_data_unchanged") == 1
    assert _metric(service, "drift_model_version") == 1
    for column in ("x", "prediction"):
        assert _metric(service, f'drift_detected{{column="{column}"}}') == 0
        psi, limit = (
            _metric(service, f'{name}{{column="{column}"}}') for name in ("drift_psi", "drift_psi_limit")
        )
        assert psi is not None
        assert limit is not None
        assert 0 <= psi < limit


def test_the_report_is_a_page_with_a_picture_of_each_column(service: httpx.Client) -> None:
    page = service.get("/")

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.text.count("<svg") == 2
    assert '<a href="/versions/1/report.html">' in page.text
    assert service.get("/versions/1/report.html").status_code == 200
    assert service.get("/versions/2/report.html").status_code == 404


def test_a_log_that_goes_away_is_told_and_it_goes_on(trained: Steps, log_url: str) -> None:
    log_predictions(log_url, trained.model_dir, like_training(250))
    with monitor(log_url, trained.database_url, trained.model_dir) as (_, client):
        wait_until(lambda: _metric(client, 'drift_passes_total{outcome="compared"}'), 60, "a first pass")

        _execute(log_url, "ALTER TABLE predictions RENAME TO elsewhere")
        wait_until(lambda: _metric(client, 'drift_passes_total{outcome="failed"}'), what="a failed pass")

        assert client.get("/health").status_code == 200
        assert "predictions" in client.get("/health").json()["failure"]
        _execute(log_url, "ALTER TABLE elsewhere RENAME TO predictions")
        wait_until(lambda: client.get("/health").json()["failure"] is None, what="a pass that succeeds")


def _execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection:
        connection.cursor().execute(statement)


def test_a_changed_training_table_is_told(trained: Steps, log_url: str) -> None:
    trained.execute("DELETE FROM linear_data WHERE x < 1")
    with monitor(log_url, trained.database_url, trained.model_dir) as (_, client):
        wait_until(lambda: _metric(client, "drift_training_data_unchanged") == 0, 60, "a first pass")

        assert "has changed since" in client.get("/").text


def test_without_a_model_it_waits_for_one(trained: Steps, log_url: str, tmp_path: Path) -> None:
    with monitor(log_url, trained.database_url, tmp_path / "nothing") as (_, client):
        wait_until(lambda: _metric(client, 'drift_passes_total{outcome="no model"}'), 60, "a first pass")

        assert client.get("/health").json()["drift"] == "no model"
        assert _metric(client, "drift_sufficient_data") == 0


def test_sigterm_ends_it_at_once_and_in_order(trained: Steps, log_url: str) -> None:
    with monitor(log_url, trained.database_url, trained.model_dir) as (process, client):
        wait_until(lambda: client.get("/health").status_code == 200, 60, "a first answer")

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == 0
