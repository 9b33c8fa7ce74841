"""Text, gaps and classes through every step, by settings alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlstack.inference.encoding import encode_rows
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from tests.harness.processes.steps import Steps

_TABLE = """
CREATE TABLE tickets AS SELECT
    i AS id,
    CASE WHEN i % 11 = 0 THEN NULL ELSE (i * 37 % 101)::numeric END AS age,
    CASE WHEN i % 13 = 0 THEN NULL ELSE ('{mail,phone,chat}'::text[])[i % 3 + 1] END AS channel,
    i % 2 = 0 AS paying,
    CASE WHEN (i * 37 % 101) + 30 * (i % 3) > 80 THEN 'urgent' ELSE 'normal' END AS urgency,
    (i * 37 % 101) * 2.5 + 40 * (i % 3) AS hours
  FROM generate_series(1, 400) AS i"""
_TICKETS = {
    "DATA_TABLE": "tickets",
    "DATA_FEATURES": "age,channel,paying",
    "DATA_MIN": "",
    "DATA_MAX": "",
    "DATA_MAX_DUPLICATES": "1",
}
_CLASSES = _TICKETS | {
    "DATA_TARGET": "urgency",
    "MODEL_ESTIMATOR": "sklearn.ensemble.RandomForestClassifier",
    "MODEL_PARAMETERS": '{"n_estimators": 20, "min_samples_leaf": 3}',
}


def test_a_class_is_learned_from_text_gaps_and_booleans(steps: Steps) -> None:
    steps.execute(_TABLE)

    outcomes, again = steps.run_all(**_CLASSES), steps.run_all(**_CLASSES)

    assert [outcome.code for outcome in (*outcomes, *again)] == [0] * 8
    store = ModelStore(steps.model_dir)
    model, evaluation = load_model(store.path(1)), store.evaluation(1)
    assert store.versions() == [1]
    assert outcomes[2].line("trained and published")["accuracy"] > 0.7
    assert model.classes == ("normal", "urgent")
    assert model.columns[1].categories == ("chat", "mail", "phone")
    assert evaluation.log_loss == pytest.approx(model.metrics["log_loss"], rel=1e-9)
    found = model.classify(
        encode_rows(model.columns, [[95, "chat", True], [3, "fax", False], [None, None, True]])
    )
    assert found.likeliest.tolist()[:2] == [1, 0]
    assert (store.path(1) / "report.html").exists()


def test_a_number_is_predicted_from_the_same_columns(steps: Steps) -> None:
    steps.execute(_TABLE)

    outcomes = steps.run_all(**_TICKETS, DATA_TARGET="hours")

    assert [outcome.code for outcome in outcomes] == [0, 0, 0, 0]
    model = load_model(ModelStore(steps.model_dir).path(1))
    answer = model.predict(encode_rows(model.columns, [[50, "mail", True]]))
    assert answer.values[0] == pytest.approx(125, abs=25)
    assert np.isfinite(model.predict(encode_rows(model.columns, [[None, "fax", False]])).values).all()


def test_a_worse_model_is_rejected_though_a_category_is_new(steps: Steps) -> None:
    """The table got tickets from a channel that the current version has not seen."""
    steps.execute(_TABLE)
    steps.run_all(**_CLASSES)
    steps.execute("UPDATE tickets SET channel = 'fax' WHERE id % 9 = 0")
    worse = {"MODEL_ESTIMATOR": "sklearn.tree.DecisionTreeClassifier", "MODEL_PARAMETERS": '{"max_depth": 1}'}

    outcomes = steps.run_all(**_CLASSES | worse)

    store = ModelStore(steps.model_dir)
    assert [outcome.code for outcome in outcomes] == [0, 0, 0, 1]
    assert "of the current version by more than 5%; version 1 stays current" in outcomes[3].errors()[0]
    assert store.evaluation(2).current_unseen_rows > 0
    assert store.current() == 1


def test_what_is_not_compared_is_in_the_log_and_in_the_verdict(steps: Steps) -> None:
    steps.execute(_TABLE)
    steps.run_all(**_CLASSES)

    outcomes = steps.run_all(**_CLASSES | {"DATA_FEATURES": "age,channel"})

    reason = "its columns are age, channel, paying"
    logged, store = outcomes[3].line("the current version is not compared"), ModelStore(steps.model_dir)
    assert (logged["current_version"], logged["reason"]) == (1, reason)
    assert outcomes[3].line("promoted")["evaluation"]["not_compared"].endswith(reason)
    assert store.evaluation(2).reason == f"passed the quality gate; version 1 was not compared: {reason}"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"DATA_TARGET": "urgency"},
            "urgency: holds text, and sklearn.linear_model.Linear",
        ),
        (_CLASSES | {"DATA_TARGET": "hours"}, "hours: holds fractions"),
        (_CLASSES | {"DATA_TARGET": "id"}, "id: class 1, 2, 3, 4, 5 and 395 more"),
        (_CLASSES | {"MODEL_ESTIMATOR": "sklearn.linear_model.RidgeClassifier"}, "has no predict_proba"),
    ],
)
def test_a_target_that_does_not_fit_is_one_line(steps: Steps, settings: dict[str, str], reason: str) -> None:
    steps.execute(_TABLE)
    more = {"MODEL_PARAMETERS": "{}", "DATA_MAX_CATEGORIES": "1000"}

    outcome = steps.run("10-train_model.py", **(_TICKETS | settings | more))

    assert outcome.code == 1
    assert [reason in line for line in outcome.errors()] == [True]


def test_a_table_that_changed_since_training_is_not_judged(steps: Steps) -> None:
    steps.execute(_TABLE)
    for step in ("05-validate_data.py", "10-train_model.py"):
        assert steps.run(step, **_CLASSES).code == 0
    steps.execute("UPDATE tickets SET channel = 'fax' WHERE id = 7")

    outcome = steps.run("20-evaluate_model.py", **_CLASSES)

    assert outcome.code == 1
    assert "the table changed since version 1 was trained" in outcome.errors()[0]


def test_a_function_of_the_users_makes_the_estimator(steps: Steps, tmp_path: Path) -> None:
    steps.execute(_TABLE)
    (tmp_path / "custom").mkdir()
    source = tmp_path / "custom" / "model.py"
    source.write_text(
        "from sklearn.ensemble import ExtraTreesClassifier as Trees\n"
        "def make_estimator(): return Trees(30, min_samples_leaf=3)\n"
    )
    settings = _CLASSES | {
        "MODEL_ESTIMATOR": "model.py:make_estimator",
        "MODEL_PARAMETERS": '{"max_depth": 8}',
        "CUSTOM_DIR": str(source.parent),
    }

    outcomes, again = steps.run_all(**settings), steps.run_all(**settings)
    source.write_text(source.read_text().replace("30", "40"))
    changed = steps.run("10-train_model.py", **settings)

    assert [outcome.code for outcome in (*outcomes, *again, changed)] == [0] * 9
    assert ModelStore(steps.model_dir).versions() == [1, 2]
    assert load_model(ModelStore(steps.model_dir).path(2)).row_independent
