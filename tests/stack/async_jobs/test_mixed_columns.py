"""Jobs for a model of text, booleans and NULLs: the table of docs/classify.md, trained in containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.jobs.client import Jobs
from tests.harness.processes.tickets import SETTINGS, TABLE
from tests.harness.repository_root import ROOT
from tests.harness.stack.waiting import wait_until

_ROWS: list[dict[str, Any]] = [
    {"product": "tariff", "channel": None, "words": 40, "months": 20, "business": False},
    {"product": "watch", "channel": "mail", "words": 60, "months": None, "business": True},
]
_POSITIONS = [list(row.values()) for row in _ROWS]
_MEMBERS = ("predictions", "probabilities", "prediction_sets", "confidence", "unseen", "model_version")


@pytest.fixture(scope="module")
def tickets(jobs: Jobs) -> Iterator[Jobs]:
    """The stack with a classifier of tickets; the demonstration's model again afterwards."""
    psql = ("exec", "-T", "database", "psql", "-U", "postgres", "-d", "dsproject", "-c")
    jobs.stack.compose(*psql, TABLE)
    rows = (ROOT / "docs" / "tickets.csv").read_text(encoding="utf-8")
    jobs.stack.compose(*psql, r"\copy tickets FROM STDIN WITH (FORMAT csv, HEADER)", stdin=rows)
    _train(jobs, SETTINGS | {"DATA_MIN": "", "DATA_MAX": ""}, _ROWS)
    yield jobs
    _train(jobs, {}, [1.0])
    jobs.stack.compose(*psql, "DROP TABLE tickets")


def _train(jobs: Jobs, settings: dict[str, str], rows: list[Any]) -> None:
    """Train, and wait until the api takes `rows` for the new model and the worker answers them."""
    jobs.stack.compose("up", "--detach", "--wait", env=settings)
    current = jobs.stack.compose("exec", "-T", "model-serve", "readlink", "/models/current").stdout.strip()
    version = int(current.rpartition("/")[2])

    def followed() -> bool:
        accepted = jobs.stack.api.post("/jobs", json={"instances": rows})
        return (
            accepted.status_code == 202
            and jobs.result(accepted.headers["Location"]).get("model_version") == version
        )

    wait_until(followed, 30, f"version {version} to be served")


def _submit(jobs: Jobs, rows: list[Any]) -> dict[str, Any]:
    accepted = jobs.stack.api.post("/jobs", json={"instances": rows})
    assert accepted.status_code == 202, accepted.text
    return jobs.result(accepted.headers["Location"])


def test_a_job_of_rows_by_name_is_answered_like_a_prediction(tickets: Jobs) -> None:
    report = _submit(tickets, _ROWS)

    answer = tickets.stack.api.post("/predict", json={"instances": _ROWS}).json()
    assert report["state"] == "completed"
    assert {name: report[name] for name in _MEMBERS} == {name: answer[name] for name in _MEMBERS}
    assert report["unseen"] == [[], ["product"]]
    assert "intervals" not in report


def test_rows_by_position_are_the_same_job_and_are_logged_as_they_were_asked(tickets: Jobs) -> None:
    by_name, by_position = _submit(tickets, _ROWS), _submit(tickets, _POSITIONS)

    assert [by_position[name] for name in _MEMBERS] == [by_name[name] for name in _MEMBERS]
    query = f"SELECT input_data->0->>0, prediction->>0 FROM predictions WHERE id = '{by_name['id']}'"  # noqa: S608
    assert tickets.sql(query) == [f"tariff|{by_name['predictions'][0]}"]


def test_a_row_that_does_not_fit_is_refused_before_it_is_a_job(tickets: Jobs) -> None:
    refused = tickets.stack.api.post("/jobs", json={"instances": [_ROWS[0] | {"words": "many"}]})

    assert refused.status_code == 422
    assert "column words: expected a number" in refused.json()["detail"]
