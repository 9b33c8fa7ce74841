"""Predictions and their true values in a prediction log, and the step that collects them, as a process."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import psycopg2

from api.prediction.identifiers import new_prediction_id
from tests.harness.processes.steps import Outcome, Steps

STEP = "30-collect_feedback.py"
DONE, NOTHING = "collected", "nothing to do: no true value is new"


def collect(steps: Steps, log_url: str, **settings: str) -> Outcome:
    """Run the step."""
    return steps.run(STEP, LOG_DATABASE_URL=log_url, **settings)


def rows(url: str, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    """Run a statement; return its rows."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(query, arguments)
        return list(cursor.fetchall()) if cursor.description else []


def answered(log_url: str, inputs: list[list[object]], version: int = 1) -> str:
    """Log a prediction; return its id."""
    prediction, milliseconds = new_prediction_id()
    rows(
        log_url,
        """INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp", model_version,
                                    cached, intervals, request_id, latency)
           VALUES (%s, %s, '[]', '[]', to_timestamp(%s / 1000.0), %s, false, '[]', 'r', 0)""",
        prediction,
        json.dumps(inputs),
        milliseconds,
        version,
    )
    return prediction


def add_truth(log_url: str, prediction: str, actual: list[object], revision: int = 1) -> None:
    """Log true values."""
    query = "INSERT INTO feedback (id, revision, actual) VALUES (%s, %s, %s)"
    rows(log_url, query, prediction, revision, json.dumps(actual))
