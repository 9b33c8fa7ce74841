"""One pass of step 95, between a real prediction log, the training data and the model volume."""

from __future__ import annotations

import tracemalloc
from contextlib import closing

import numpy as np
import psycopg2
import pytest

from mlstack.drift.statistics import Reference
from mlstack.drift.training_data import read_training_data
from mlstack.drift.window import read_window
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from tests.harness.processes.drift_log import like_training, log_predictions, one_pass
from tests.harness.processes.steps import Steps


def test_fewer_than_200_rows_are_insufficient_data(trained: Steps, log_url: str) -> None:
    log_predictions(log_url, trained.model_dir, like_training(199))

    code, found = one_pass(log_url, trained.database_url, trained.model_dir)

    assert (code, found["event"], found["window_rows"]) == (0, "drift: insufficient data", 199)
    assert found["columns"] == {}
    assert found["extrapolated_share"] is None


def test_what_is_like_the_training_data_is_stable(trained: Steps, log_url: str) -> None:
    log_predictions(log_url, trained.model_dir, like_training(200))

    code, found = one_pass(log_url, trained.database_url, trained.model_dir)

    assert (code, found["event"], found["level"]) == (0, "drift: stable", "info")
    assert set(found["columns"]) == {"x", "prediction"}
    assert found["extrapolated_share"] < 0.05


def test_other_inputs_are_drift_and_their_extrapolated_share_is_told(trained: Steps, log_url: str) -> None:
    log_predictions(log_url, trained.model_dir, like_training(300) + 15)

    code, found = one_pass(log_url, trained.database_url, trained.model_dir)

    assert (code, found["event"], found["level"]) == (0, "drift: drifted", "warning")
    assert found["columns"]["x"]["drifted"]
    assert found["columns"]["prediction"]["drifted"]
    assert found["extrapolated_share"] == pytest.approx(0.75, abs=0.05)


def test_only_what_the_current_version_answered_lately_counts(trained: Steps, log_url: str) -> None:
    trained.execute("UPDATE linear_data SET y = y + x")
    assert [outcome.code for outcome in trained.run_all()] == [0, 0, 0, 0]
    log_predictions(log_url, trained.model_dir, like_training(300) + 100, version=1)
    log_predictions(log_url, trained.model_dir, like_training(300) + 100, version=2, hours_ago=30)
    log_predictions(log_url, trained.model_dir, like_training(250), version=2)

    _, found = one_pass(log_url, trained.database_url, trained.model_dir)

    assert (found["event"], found["model_version"], found["window_rows"]) == ("drift: stable", 2, 250)


def test_the_window_is_bounded_and_holds_the_newest(trained: Steps, log_url: str) -> None:
    log_predictions(log_url, trained.model_dir, np.full((3000, 1), 1.0), hours_ago=2)
    log_predictions(log_url, trained.model_dir, np.full((9000, 1), 2.0), hours_ago=1)
    model = load_model(ModelStore(trained.model_dir).path(1))

    window = read_window(log_url, model, hours=24)

    assert window.rows.shape == (10_000, 1)
    assert (window.rows == 2.0).sum() == 9000
    assert window.predictions.shape == (10_000,)


@pytest.mark.parametrize(
    ("rows", "predictions"),
    [('[["Hanoi"]]', "[1]"), ("[[1, 2]]", "[1]"), ("[[1], [2]]", "[1]"), ("[[1]]", '["yes"]'), ("7", "[1]")],
)
def test_requests_of_another_schema_are_left_out_and_counted(
    trained: Steps, log_url: str, rows: str, predictions: str
) -> None:
    log_predictions(log_url, trained.model_dir, like_training(200))
    with closing(psycopg2.connect(log_url)) as connection, connection:
        connection.cursor().execute(
            "UPDATE predictions SET input_data = %s, prediction = %s"
            " WHERE id IN (SELECT id FROM predictions LIMIT 3)",
            (rows, predictions),
        )
    model = load_model(ModelStore(trained.model_dir).path(1))

    window = read_window(log_url, model, hours=24)

    assert (len(window.rows), len(window.predictions), window.skipped) == (197, 197, 3)


def test_a_long_training_table_is_read_in_bounded_memory(trained: Steps) -> None:
    """Of 3,000,000 rows, which are 48 MB, a sample is kept; the range is that of all of them."""
    trained.execute("INSERT INTO linear_data SELECT n * 1e-5, 1 FROM generate_series(1, 3000000) AS n")
    model = load_model(ModelStore(trained.model_dir).path(1))
    read_training_data(trained.database_url, model)  # what is allocated once

    tracemalloc.start()
    found = read_training_data(trained.database_url, model)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    (x, _) = found.columns
    assert isinstance(x, Reference)
    assert peak < 24e6
    assert (found.rows, found.unchanged) == (3_000_100, False)
    assert (len(x.ordered), found.high.tolist()) == (100_000, [30.0])
    assert np.median(x.ordered) == pytest.approx(15, abs=0.2)


def test_a_database_that_is_away_is_one_readable_line(trained: Steps) -> None:
    unreachable = "postgresql://drift:secret@nowhere.invalid:5432/predictions"

    code, found = one_pass(unreachable, trained.database_url, trained.model_dir)

    assert code == 1
    assert "nowhere.invalid" in found["event"]
    assert "secret" not in found["event"]
