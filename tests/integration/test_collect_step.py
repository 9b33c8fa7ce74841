"""Step 30 as a process: true values become rows to train on, once each, with their latest correction."""

from __future__ import annotations

import pytest

from tests.harness.processes.steps import Steps
from tests.harness.processes.true_values import DONE, NOTHING, add_truth, answered, collect, rows


def test_each_true_value_becomes_a_row_once(trained: Steps, log_url: str) -> None:
    """Later corrections replace it; rows without one are left out; the other table has both tables' rows."""
    first, second = answered(log_url, [[1.0], [2.0]]), answered(log_url, [[30.0]])
    add_truth(log_url, first, [3.5, None])
    add_truth(log_url, second, [60.0])

    one, two = collect(trained, log_url), collect(trained, log_url)
    add_truth(log_url, second, [61.0], revision=2)
    three = collect(trained, log_url)

    assert [outcome.code for outcome in (one, two, three)] == [0, 0, 0], one.stderr + three.stderr
    assert (one.line(DONE)["rows"], three.line(DONE)["rows"]) == (2, 1)
    assert two.line(NOTHING)["train_on"] == "linear_data_with_feedback"
    collected = rows(trained.database_url, "SELECT x, y FROM collected_feedback ORDER BY x")
    assert collected == [(1.0, 3.5), (30.0, 61.0)]
    counted = rows(trained.database_url, "SELECT count(*), max(x) FROM linear_data_with_feedback")
    assert counted == [(102, 30.0)]


def test_the_next_training_learns_from_them(trained: Steps, log_url: str) -> None:
    """TRAIN_TABLE names the table of both; the same rows give no further version."""
    for x in range(20):
        add_truth(log_url, answered(log_url, [[100.0 + x]]), [2 * (100.0 + x) + 1])
    collect(trained, log_url)

    trainings = [trained.run("10-train_model.py", DATA_TABLE="linear_data_with_feedback") for _ in range(2)]
    collect(trained, log_url)
    again = trained.run("10-train_model.py", DATA_TABLE="linear_data_with_feedback")

    assert trainings[0].line("trained and published")["rows"] == 120
    for outcome in (trainings[1], again):
        assert outcome.line("nothing to do: this version is up to date")["model_version"] == 2


def test_the_demonstrations_table_may_be_made_anew(trained: Steps, log_url: str) -> None:
    """Nothing depends on the user's table: it can be replaced, and the next run copies what it holds then."""
    add_truth(log_url, answered(log_url, [[30.0]]), [61.0])
    collect(trained, log_url)

    outcome = trained.run("00-prepare_data.py", DATA_SAMPLES="50")
    collect(trained, log_url)

    assert outcome.code == 0, outcome.lines
    counted = rows(trained.database_url, "SELECT count(*) FROM linear_data_with_feedback")
    assert counted == [(51,)]


def test_predictions_of_other_columns_are_counted(trained: Steps, log_url: str) -> None:
    """A version that is gone, or was trained on other columns, says nothing about these."""
    add_truth(log_url, answered(log_url, [[1.0, 2.0]], version=7), [3.0])

    outcome = collect(trained, log_url)

    assert outcome.line(NOTHING)["predictions_of_other_columns"] == 1
    assert rows(trained.database_url, "SELECT count(*) FROM collected_feedback") == [(0,)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"FEEDBACK_TABLE": "linear_data"}, "FEEDBACK_TABLE must be another table than linear_data"),
        ({"FEEDBACK_TABLE": "mine"},
         "table mine was not made by this step: set another FEEDBACK_TABLE"),
        ({"DATA_TABLE": "mine", "DATA_TARGET": "z"},
         "table mine_with_feedback was not made by this step: rename it"),
        ({"DATA_TARGET": "z"}, "linear_data: there is no column z (there are x, y)"),
        ({"DATA_TABLE": "nowhere"},
         "table nowhere does not exist: run data-prep, or set DATA_TABLE to the table you made"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(trained: Steps, log_url: str, settings: dict[str, str], expected: str) -> None:
    """It says what to do, and changes nothing."""
    trained.execute("CREATE TABLE mine AS SELECT 1 AS x, 2 AS z")
    trained.execute("CREATE TABLE mine_with_feedback AS SELECT 1 AS x")

    outcome = collect(trained, log_url, **settings)

    assert outcome.code != 0
    assert outcome.errors() == [expected]
    assert rows(trained.database_url, "SELECT to_regclass('collected_feedback')") == [(None,)]
