"""Step 25 as a process, on a real PostgreSQL and a real model volume."""

from __future__ import annotations

import json

from mlstack.registry.store import ModelStore
from tests.harness.processes.steps import Steps

OPTIMIZE = "25-optimize_model.py"
SLOW = '{"n_estimators": 3000}'  # seconds
QUICK = json.dumps(
    [
        {
            "estimator": "sklearn.preprocessing.PolynomialFeatures,sklearn.linear_model.Ridge",
            "parameters": {"ridge__alpha": 0.001},
        }
    ]
)
STAYS = "the configured model stays: none is better by more than a standard error"
DONE = "nothing to do: these candidates were already compared on these data"


def test_the_configured_model_stays_where_nothing_is_better(trained: Steps) -> None:
    outcome = trained.run(OPTIMIZE, OPTIMIZE_CANDIDATES=QUICK)

    assert outcome.code == 0, outcome.lines
    assert outcome.line(STAYS)["estimator"] == "sklearn.linear_model.LinearRegression"
    assert ModelStore(trained.model_dir).versions() == [1]


def test_a_better_candidate_is_published_and_passes_the_gate(trained: Steps) -> None:
    trained.execute("UPDATE linear_data SET y = y + x * x")
    assert [outcome.code for outcome in trained.run_all()] == [0, 0, 0, 0]

    outcome = trained.run(OPTIMIZE, OPTIMIZE_CANDIDATES=QUICK)

    assert outcome.code == 0, outcome.lines
    assert outcome.line("the better candidate was promoted")["model_version"] == 3
    compared = [line for line in outcome.lines if line["event"] == "compared"]
    assert [(line["candidate"], line["of"]) for line in compared] == [(1, 2), (2, 2)]
    store = ModelStore(trained.model_dir)
    assert (store.latest(), store.current()) == (2, 3)
    record = json.loads((trained.model_dir / "optimization.json").read_text())
    assert record["verdict"] == "promoted"
    assert record["scores"][1]["rmse"] < record["scores"][0]["rmse"]


def test_a_second_run_after_a_promotion_changes_nothing(trained: Steps) -> None:
    trained.execute("UPDATE linear_data SET y = y + x * x")
    trained.run_all()
    trained.run(OPTIMIZE, OPTIMIZE_CANDIDATES=QUICK)

    again = [*trained.run_all(), trained.run(OPTIMIZE, OPTIMIZE_CANDIDATES=QUICK)]

    assert [outcome.code for outcome in again] == [0, 0, 0, 0, 0]
    assert again[-1].line(DONE)["model_version"] == 3
    store = ModelStore(trained.model_dir)
    assert (store.versions(), store.current()) == ([1, 2, 3], 3)


def test_without_time_for_any_candidate_the_configured_model_stays(trained: Steps) -> None:
    slow = {"MODEL_ESTIMATOR": "sklearn.ensemble.RandomForestRegressor", "MODEL_PARAMETERS": SLOW}

    outcome = trained.run(OPTIMIZE, OPTIMIZE_CANDIDATES=QUICK, OPTIMIZE_SECONDS="0.1", **slow)

    assert outcome.code == 0
    assert any("raise OPTIMIZE_SECONDS" in line["event"] for line in outcome.lines)
    assert ModelStore(trained.model_dir).versions() == [1]
    assert not (trained.model_dir / "optimization.json").exists()
