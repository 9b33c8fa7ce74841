"""Comparing candidates: the same folds for all, the one-standard-error rule, the time limit."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.settings import SettingsError
from mlstack.training.config import TrainingConfig
from mlstack.training.splitting import Dataset
from mlstack.tuning.candidates import read_candidates
from mlstack.tuning.cross_validation import FOLDS, Score, choose, compare
from mlstack.tuning.time_limit import TimeIsUp, time_limit
from tests.harness.model_versions import line_table

LINE = TrainingConfig()
CURVE = replace(
    LINE,
    estimator="sklearn.preprocessing.PolynomialFeatures,sklearn.linear_model.LinearRegression",
    parameters={"polynomialfeatures__degree": 2},
)


def _curve_table() -> FloatArray:
    random = np.random.default_rng(3)
    x = random.uniform(0, 20, 200)
    return np.column_stack([x, x**2 + random.normal(0, 1, 200)])


def test_the_score_is_the_mean_rmse_over_folds_that_leave_no_row_out() -> None:
    table = line_table(rows=100)

    (score,) = compare([LINE], Dataset(table), seconds=60)

    errors = []
    folds = list(KFold(FOLDS, shuffle=True, random_state=42).split(table))
    for learned, held_out in ((table[rows], table[others]) for rows, others in folds):
        model = LinearRegression().fit(learned[:, :1], learned[:, 1])
        errors.append(np.sqrt(np.mean((model.predict(held_out[:, :1]) - held_out[:, 1]) ** 2)))
    assert sorted(row for _, held_out in folds for row in held_out) == list(range(100))
    assert score.error == pytest.approx(np.mean(errors))
    assert score.standard_error == pytest.approx(np.std(errors, ddof=1) / np.sqrt(FOLDS))


def test_a_better_candidate_is_chosen() -> None:
    scores = compare([LINE, CURVE], Dataset(_curve_table()), seconds=60)

    assert choose(scores, LINE) == CURVE


def test_what_is_configured_stays_if_the_rest_is_luck() -> None:
    scores = compare([LINE, CURVE], Dataset(line_table()), seconds=60)

    assert choose(scores, LINE) == LINE


def test_the_first_within_one_standard_error_is_chosen() -> None:
    configurations = [replace(LINE, parameters={"n": n}) for n in range(4)]
    rmse = [2.0, 1.15, 1.05, 1.0]

    chosen = choose(
        [Score(config, r, 0.1, 0.0) for config, r in zip(configurations, rmse, strict=True)], LINE
    )

    assert chosen == configurations[2]


def test_a_candidate_that_cannot_be_fitted_is_left_out() -> None:
    broken = replace(LINE, parameters={"no_such_parameter": 1})

    scores = compare([broken, LINE], Dataset(line_table()), seconds=60)

    assert [score.config for score in scores] == [LINE]


def test_a_candidate_whose_errors_overflow_is_left_out() -> None:
    table = line_table() * [1.0, 1e200]

    assert compare([LINE], Dataset(table), seconds=60) == []


def test_too_few_rows_for_the_folds_leave_every_candidate_out() -> None:
    assert compare([LINE, CURVE], Dataset(line_table(rows=9)), seconds=60) == []


def test_the_comparison_ends_in_time_with_what_it_has() -> None:
    slow = replace(
        LINE, estimator="sklearn.ensemble.RandomForestRegressor", parameters={"n_estimators": 100_000}
    )
    started = time.monotonic()

    scores = compare([LINE, slow], Dataset(line_table()), seconds=1.0)

    assert time.monotonic() - started < 5
    assert [score.config for score in scores] == [LINE]


def test_what_is_configured_stays_if_nothing_could_be_judged() -> None:
    assert choose([], LINE) == LINE


def test_the_limit_is_over_with_its_block() -> None:
    with pytest.raises(TimeIsUp), time_limit(0.05):
        time.sleep(10)
    with time_limit(0.05):
        pass
    time.sleep(0.1)  # an alarm that was left behind would end the test run here


def test_the_configured_recipe_is_compared_first_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPTIMIZE_CANDIDATES", raising=False)

    candidates = read_candidates(LINE)

    assert candidates[0] == LINE
    assert candidates.count(LINE) == 1
    assert len(candidates) > 10


def test_every_built_in_candidate_can_be_trained_and_loaded() -> None:
    candidates = read_candidates(LINE)

    scores = compare(candidates, Dataset(line_table(rows=60)), seconds=120)

    assert [score.config for score in scores] == candidates


@pytest.mark.parametrize("text", ["no json", "{}", "[]", '["LinearRegression"]', '[{"estimator": 1}]'])
def test_wrong_candidates_are_one_readable_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIMIZE_CANDIDATES", text)

    with pytest.raises(SettingsError, match="OPTIMIZE_CANDIDATES"):
        read_candidates(LINE)
