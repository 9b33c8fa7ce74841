"""docs/make-it-yours.md, word for word: another table, three features, other regressors, of your own too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.documents.page import outputs_of
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack


@pytest.fixture(scope="module")
def outputs(stack: Stack) -> Iterator[list[str]]:
    """What the commands of the page print, each; they run in one shell, as a reader would."""
    try:
        yield outputs_of("make-it-yours.md", stack)
    finally:
        for name in ("model.py", "requirements.txt"):  # the page removes them, unless a command failed
            (ROOT / "custom" / name).unlink(missing_ok=True)
    stack.psql("database", "dsproject", "DROP TABLE houses")


def _answers(outputs: list[str], begin: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in outputs if text.strip().startswith(begin)]


def test_table_is_loaded(outputs: list[str]) -> None:
    assert outputs[1].strip() == "COPY 80"


def test_one_row_of_three_features_is_one_prediction_on_the_api(outputs: list[str]) -> None:
    answer = _answers(outputs, '{"id"')[0]

    (price,) = answer["predictions"]
    ((low, high),) = answer["intervals"]
    assert 200_000 < price < 400_000
    assert low < price < high
    assert 0 < answer["confidence"][0] < 1


def test_rows_are_rows_on_model_serve(outputs: list[str]) -> None:
    answer = _answers(outputs, '{"predictions"')[0]

    (large,), (small,) = answer["predictions"]
    assert small < large


def test_versions_are_listed_with_their_estimator(outputs: list[str]) -> None:
    (listing,) = (text for text in outputs if "verdict" in text)

    (line,) = (line for line in listing.splitlines() if "RandomForestRegressor" in line)
    assert " current " in line
    assert " 80 " in line


def test_the_users_own_estimator_is_served_as_it_was_trained(outputs: list[str]) -> None:
    """In containers with XGBoost and LightGBM, which the build has installed."""
    (trained,) = (json.loads(text)[0] for text in outputs if text.strip().startswith("["))

    before, answer = _answers(outputs, '{"id"')
    rounded = _answers(outputs, '{"predictions"')[1]

    assert answer["model_version"] == before["model_version"] + 1
    assert (answer["predictions"], answer["cached"]) == ([trained], False)
    assert (rounded["predictions"], rounded["model_version"]) == (
        [[round(trained, 4)]],
        answer["model_version"],
    )
    ((low, high),) = answer["intervals"]
    assert low < trained < high


@pytest.mark.usefixtures("outputs")
def test_afterwards_the_demonstration_is_back(stack: Stack) -> None:
    assert stack.serve.post("/predict", json={"values": [5]}).json()["predictions"] == [[11.0]]
    assert len(stack.api.post("/predict", json={"features": [1, 2, 3]}).json()["predictions"]) == 3
