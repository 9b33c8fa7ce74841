"""The table of docs/classify.md, with a classifier trained on it by the steps, as processes."""

from __future__ import annotations

import csv
from contextlib import closing

import psycopg2

from tests.harness.processes.steps import Steps
from tests.harness.repository_root import ROOT

SETTINGS = {
    "DATA_TABLE": "tickets",
    "DATA_FEATURES": "product,channel,words,months,business",
    "DATA_TARGET": "team",
    "MODEL_ESTIMATOR": "sklearn.tree.DecisionTreeClassifier",
    "MODEL_PARAMETERS": '{"min_samples_leaf": 20}',
}
TABLE = (
    "CREATE TABLE tickets (product text, channel text, words int, months int, business boolean, team text)"
)
_STEPS = ("05-validate_data.py", "10-train_model.py", "20-evaluate_model.py")
Row = list[str | float | bool | None]


def load_tickets(steps: Steps) -> None:
    """Create the table from docs/tickets.csv."""
    with closing(psycopg2.connect(steps.database_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(TABLE)
        with (ROOT / "docs" / "tickets.csv").open(encoding="utf-8") as file:
            cursor.copy_expert("COPY tickets FROM STDIN WITH (FORMAT csv, HEADER)", file)


def train_on_tickets(steps: Steps) -> None:
    """Load the table, train and evaluate a classifier, which is promoted."""
    load_tickets(steps)
    done = [steps.run(script, **SETTINGS) for script in _STEPS]
    assert [outcome.code for outcome in done] == [0, 0, 0], [outcome.lines for outcome in done]


def ticket_rows() -> list[Row]:
    """Return the features of every ticket, as clients send them."""
    with (ROOT / "docs" / "tickets.csv").open(encoding="utf-8") as file:
        return [_sent(row) for row in csv.DictReader(file)]


def _sent(row: dict[str, str]) -> Row:
    months = float(row["months"]) if row["months"] else None
    return [row["product"], row["channel"] or None, float(row["words"]), months, row["business"] == "true"]
