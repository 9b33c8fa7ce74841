"""The drift monitor and the search for a better model, for a classifier on text, booleans and NULLs."""

from __future__ import annotations

import json

import pytest

from mlstack.inference.encoding import encode_rows
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from tests.harness.processes.drift_log import log_answers, one_pass
from tests.harness.processes.steps import Steps
from tests.harness.processes.tickets import SETTINGS, Row, load_tickets, ticket_rows, train_on_tickets

BETTER = json.dumps(
    [
        {
            "estimator": "sklearn.ensemble.RandomForestClassifier",
            "parameters": {"n_estimators": 30, "min_samples_leaf": 5},
        }
    ]
)


@pytest.fixture
def classified(steps: Steps) -> Steps:
    """The steps after a classifier of tickets was promoted."""
    train_on_tickets(steps)
    return steps


def _log(steps: Steps, log_url: str, rows: list[Row]) -> None:
    model = load_model(ModelStore(steps.model_dir).path(1))
    likeliest = model.classify(encode_rows(model.columns, rows)).likeliest
    log_answers(log_url, rows, [model.classes[position] for position in likeliest.tolist()], version=1)


def test_what_is_like_the_training_table_is_stable(classified: Steps, log_url: str) -> None:
    _log(classified, log_url, ticket_rows()[::2])

    code, found = one_pass(log_url, classified.database_url, classified.model_dir)

    assert (code, found["event"], found["window_rows"]) == (0, "drift: stable", 300), found
    assert list(found["columns"]) == ["product", "channel", "words", "months", "business", "prediction"]
    tests = {name: "chi_squared" in measures for name, measures in found["columns"].items()}
    assert [name for name, chi_squared in tests.items() if not chi_squared] == ["words", "months"]
    assert (found["extrapolated_share"], found["training_data_unchanged"]) == (0, True)


def test_other_categories_null_and_predicted_classes_are_drift(classified: Steps, log_url: str) -> None:
    rows = [["watch", *row[1:3], None, row[4]] for row in ticket_rows()[::2]]
    _log(classified, log_url, rows)
    classified.execute("UPDATE tickets SET team = 'billing' WHERE words < 20")

    code, found = one_pass(log_url, classified.database_url, classified.model_dir)

    drifted = {name for name, measures in found["columns"].items() if measures["drifted"]}
    assert (code, found["event"]) == (0, "drift: drifted")
    assert {"product", "months"} <= drifted
    assert not {"channel", "words", "business"} & drifted
    assert (found["extrapolated_share"], found["training_data_unchanged"]) == (1, False)


def test_classifiers_are_optimized_by_log_loss_on_mixed_columns(steps: Steps) -> None:
    load_tickets(steps)
    blunt = {**SETTINGS, "MODEL_PARAMETERS": '{"max_depth": 1}'}
    for script in ("10-train_model.py", "20-evaluate_model.py"):
        assert steps.run(script, **blunt).code == 0

    outcome = steps.run("25-optimize_model.py", **blunt, OPTIMIZE_CANDIDATES=BETTER)

    assert outcome.code == 0, outcome.lines
    assert outcome.line("the better candidate was promoted")["model_version"] == 2
    record = json.loads((steps.model_dir / "optimization.json").read_text())
    assert record["score"] == "log_loss"
    configured, better = (score["log_loss"] for score in record["scores"])
    assert better < configured
