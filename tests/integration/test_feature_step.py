"""Step 15 as a process, on a real PostgreSQL."""

from __future__ import annotations

import psycopg2
import pytest

from mlstack.registry.store import ModelStore
from tests.harness.processes.steps import Steps

FEATURES = "15-feature_engineering.py"
TERMS = "x=x,x_squared=x^2,x_y=x*y,x_standardised=z(x)"
MADE, THERE = "feature table made", "nothing to do: the feature table is up to date"


def _rows(steps: Steps, query: str) -> list[tuple[float, ...]]:
    connection = psycopg2.connect(steps.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    connection.close()
    return rows


def test_the_feature_table_holds_the_terms_of_every_row(trained: Steps) -> None:
    outcome = trained.run(FEATURES, FEATURE_TERMS=TERMS)

    assert outcome.code == 0, outcome.lines
    assert outcome.line(MADE)["rows"] == 100
    rows = _rows(trained, "SELECT x, x_squared, x_y, x_standardised, y FROM linear_features ORDER BY x")
    raw = [x for (x,) in _rows(trained, "SELECT x FROM linear_data ORDER BY x")]
    assert [row[0] for row in rows] == raw
    mean = sum(raw) / 100
    deviation = (sum((x - mean) ** 2 for x in raw) / 100) ** 0.5
    for x, square, product, standardised, y in rows:
        assert square == x * x
        assert product == x * y
        assert standardised == pytest.approx((x - mean) / deviation)


def test_the_feature_table_is_made_anew_only_for_other_rows_or_terms(trained: Steps) -> None:
    first, again = trained.run(FEATURES), trained.run(FEATURES)
    trained.execute("UPDATE linear_data SET y = y + 1 WHERE x < 1")
    changed, other = trained.run(FEATURES), trained.run(FEATURES, FEATURE_TERMS="cube=x^3")

    made = [next(line["event"] for line in outcome.lines) for outcome in (first, again, changed, other)]
    assert made == [MADE, THERE, MADE, MADE]


def test_a_table_of_somebody_else_is_left_alone(trained: Steps) -> None:
    trained.execute("CREATE TABLE linear_features AS SELECT 1 AS mine")

    outcome = trained.run(FEATURES)

    assert outcome.code == 1
    assert outcome.errors() == ["table linear_features was not made by this step: set another FEATURE_TABLE"]
    assert _rows(trained, "SELECT mine FROM linear_features") == [(1,)]


@pytest.mark.parametrize(
    ("terms", "says"),
    [("a=nowhere^2", "nowhere"), ("a=z(nowhere)", "nowhere"), ("a=x^9", "FEATURE_TERMS")],
)
def test_a_wrong_term_is_one_readable_line(trained: Steps, terms: str, says: str) -> None:
    outcome = trained.run(FEATURES, FEATURE_TERMS=terms)

    assert outcome.code == 1
    (error,) = outcome.errors()
    assert says in error
    assert "\n" not in error


def test_a_column_that_never_changes_cannot_be_standardised(trained: Steps) -> None:
    trained.execute("UPDATE linear_data SET x = 3")

    outcome = trained.run(FEATURES, FEATURE_TERMS="a=z(x)")

    assert outcome.code == 1
    assert "every value is the same" in outcome.errors()[0]


def test_training_can_be_pointed_at_the_feature_table(trained: Steps) -> None:
    trained.execute("UPDATE linear_data SET y = 3 * x * x + x")
    assert trained.run(FEATURES).code == 0
    settings = {"DATA_TABLE": "linear_features", "DATA_FEATURES": "x,x_squared"}

    training = trained.run("10-train_model.py", **settings)
    gate = trained.run("20-evaluate_model.py")

    assert (training.code, gate.code) == (0, 0), training.lines + gate.lines
    slopes = training.line("trained and published")["slope"]
    assert slopes == {"x": pytest.approx(1), "x_squared": pytest.approx(3)}
    assert ModelStore(trained.model_dir).current() == 2
