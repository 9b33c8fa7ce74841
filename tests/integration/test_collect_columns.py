"""Step 30 with the columns that people have: text, booleans, NULLs, classes, what step 15 derives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.processes.steps import Steps
from tests.harness.processes.tickets import SETTINGS as TICKETS
from tests.harness.processes.tickets import train_on_tickets
from tests.harness.processes.true_values import DONE, NOTHING, add_truth, answered, collect, rows

_FLATS = """
    CREATE TABLE flats AS SELECT
        ('{Hue,Hanoi,Saigon}'::text[])[i % 3 + 1] AS city, 20 + i * 37 % 101 AS area, i % 2 = 0 AS lift,
        nullif(i % 7, 0) AS floor, date '2024-01-01' + i AS offered, 300 + 9 * (i * 37 % 101) + i % 13 AS rent
      FROM generate_series(1, 200) AS i"""
_DERIVED = {
    "DATA_TABLE": "flats_features",
    "DATA_FEATURES": "city,area,floor,lift,day",
    "DATA_TARGET": "rent",
    "MODEL_ESTIMATOR": "sklearn.tree.DecisionTreeRegressor",
    "MODEL_PARAMETERS": '{"min_samples_leaf": 5}',
}


def derive(steps: Steps) -> None:
    """Make the table that step 15 derives from flats."""
    terms = "city=city,area=area,floor=floor,lift=lift,day=days(offered)"
    given = {"DATA_TABLE": "flats", "DATA_TARGET": "rent", "FEATURE_TABLE": "flats_features"}
    outcome = steps.run("15-feature_engineering.py", FEATURE_TERMS=terms, **given)
    assert outcome.code == 0, outcome.lines


def test_the_columns_that_step_15_derives_are_collected_and_learnt_from(steps: Steps, log_url: str) -> None:
    """The table beside the derived one has its columns, and the next derivation finds its way into it."""
    steps.execute(_FLATS)
    derive(steps)
    for script in ("10-train_model.py", "20-evaluate_model.py"):
        assert steps.run(script, **_DERIVED).code == 0
    sent = [["Hanoi", 70.5, None, True, 20_000], ["Can Tho", 41, 3, False, 20_001]]
    add_truth(log_url, answered(log_url, sent), [900, 555.5])

    done = collect(steps, log_url, **_DERIVED)
    both = _DERIVED | {"DATA_TABLE": "flats_features_with_feedback"}
    trained = steps.run("10-train_model.py", **both)
    steps.execute("INSERT INTO flats SELECT * FROM flats LIMIT 10")
    derive(steps)
    again = collect(steps, log_url, **both)

    assert done.line(DONE)["train_on"] == again.line(NOTHING)["train_on"] == both["DATA_TABLE"]
    assert (done.line(DONE)["rows"], done.line(DONE)["predictions_of_other_columns"]) == (2, 0)
    found = rows(
        steps.database_url, "SELECT city, area, floor, lift, day, rent FROM collected_feedback ORDER BY day"
    )
    assert found == [("Hanoi", 70.5, None, True, 20_000, 900), ("Can Tho", 41, 3, False, 20_001, 555.5)]
    assert trained.line("trained and published")["rows"] == 202
    assert rows(steps.database_url, "SELECT count(*) FROM flats_features_with_feedback") == [(212,)]


def test_true_classes_become_rows_and_others_are_counted(steps: Steps, log_url: str) -> None:
    """A class that the version does not know would stop the next training, for it has one row."""
    train_on_tickets(steps)
    sent: list[list[Any]] = [
        ["router", "phone", 40, 3, True],
        ["toaster", None, 12, None, False],
        ["app", "phone", 1, 1, False],
        ["app", "phone", 2, 2, False],
        ["a" * 201, "phone", 3, 3, False],
        ["app", "phone", 4, 4, False],
    ]
    actual = ["technical", "billing", "kiwi", 5, "sales", None]
    add_truth(log_url, answered(log_url, sent), actual)

    done = collect(steps, log_url, **TICKETS)
    trained = steps.run("10-train_model.py", **TICKETS | {"DATA_TABLE": "tickets_with_feedback"})

    assert (done.line(DONE)["rows"], done.line(DONE)["unusable_true_values"]) == (2, 3)
    query = "SELECT product, channel, words, months, business, team FROM collected_feedback ORDER BY words"
    assert rows(steps.database_url, query) == [
        ("toaster", None, 12, None, False, "billing"),
        ("router", "phone", 40, 3, True, "technical"),
    ]
    assert trained.line("trained and published")["model_version"] == 2


@pytest.mark.parametrize(
    ("column", "actual", "collected"),
    [
        ("boolean USING y > 20", [True, "false", 1.0, "maybe"], [True, False]),
        ("int USING (y > 20)::int * 3", [3.0, "0", 3.5, True], [3, 0]),
        ("text USING (y > 20)::int", [1.0, "0", "2", False], ["1", "0"]),
    ],
)
def test_a_class_is_collected_as_the_targets_column_holds_it(
    trained: Steps, log_url: str, column: str, actual: list[object], collected: list[object]
) -> None:
    trained.execute(f"ALTER TABLE linear_data ALTER y TYPE {column}")
    settings = {"MODEL_ESTIMATOR": "sklearn.linear_model.LogisticRegression"}
    assert trained.run("10-train_model.py", DATA_CHANGED_COLUMNS="y", **settings).code == 0
    add_truth(log_url, answered(log_url, [[1.0], [2.0], [3.0], [4.0]], version=2), actual)

    done = collect(trained, log_url)
    again = trained.run("10-train_model.py", DATA_TABLE="linear_data_with_feedback", **settings)

    assert done.line(DONE)["unusable_true_values"] == 2
    assert rows(trained.database_url, "SELECT y FROM collected_feedback ORDER BY x") == [
        (value,) for value in collected
    ]
    assert again.line("trained and published")["rows"] == 102


def test_a_true_value_that_is_no_number_does_not_stop_the_step(trained: Steps, log_url: str) -> None:
    """Any client may send one: the rows of the others are collected."""
    add_truth(log_url, answered(log_url, [[1.0], [2.0], [3.0]]), ["abc", True, 7.0])

    done = collect(trained, log_url)

    assert (done.code, done.line(DONE)["rows"], done.line(DONE)["unusable_true_values"]) == (0, 1, 2)
    assert rows(trained.database_url, "SELECT x, y FROM collected_feedback") == [(3.0, 7.0)]


def test_a_correction_to_not_known_takes_the_row_back(trained: Steps, log_url: str) -> None:
    prediction = answered(log_url, [[30.0], [31.0]])
    add_truth(log_url, prediction, [60.0, 62.0])
    collect(trained, log_url)

    add_truth(log_url, prediction, [None, 62.0], revision=2)
    done = collect(trained, log_url)

    assert done.line(DONE)["rows"] == 1
    assert rows(trained.database_url, "SELECT x, y FROM collected_feedback") == [(31.0, 62.0)]
    assert rows(trained.database_url, "SELECT count(*) FROM linear_data_with_feedback") == [(101,)]


def test_rows_of_other_columns_are_set_aside_and_taken_back(trained: Steps, log_url: str) -> None:
    """Other columns need no other table, and rows that the log may forget are kept."""
    add_truth(log_url, answered(log_url, [[30.0]]), [60.0])
    collect(trained, log_url)
    trained.run("15-feature_engineering.py")
    rows(log_url, "TRUNCATE feedback")
    derived = {"DATA_TABLE": "linear_features", "DATA_FEATURES": "x,x_squared"}

    other = collect(trained, log_url, **derived)
    collected = rows(trained.database_url, "SELECT * FROM collected_feedback")
    back = collect(trained, log_url)

    assert (other.code, back.code, collected) == (0, 0, [])
    assert rows(trained.database_url, "SELECT x, y FROM collected_feedback") == [(30.0, 60.0)]


def test_a_version_that_had_a_column_of_another_kind_says_nothing_about_it(
    trained: Steps, log_url: str
) -> None:
    trained.execute("ALTER TABLE linear_data ALTER x TYPE text USING 'number ' || round(x)")
    add_truth(log_url, answered(log_url, [[30.0]]), [60.0])

    done = collect(trained, log_url)

    assert done.line(NOTHING)["predictions_of_other_columns"] == 1
    assert rows(trained.database_url, "SELECT count(*) FROM linear_data_with_feedback") == [(100,)]


def test_a_version_with_more_columns_is_learnt_from(steps: Steps, log_url: str) -> None:
    """With a column left out, what the versions before were told is kept."""
    train_on_tickets(steps)
    add_truth(log_url, answered(log_url, [["router", "phone", 40, 3, True]]), ["technical"])

    done = collect(steps, log_url, **TICKETS | {"DATA_FEATURES": "business,product"})

    assert done.line(DONE)["predictions_of_other_columns"] == 0
    query = "SELECT business, product, team FROM collected_feedback"
    assert rows(steps.database_url, query) == [(True, "router", "technical")]
