"""docs/make-it-yours.md, word for word: another table, three features, another regressor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.documents.page import outputs_of
from tests.harness.stack.compose import Stack


@pytest.fixture(scope="module")
def outputs(stack: Stack) -> Iterator[list[str]]:
    """What the commands of the page print, each; they run in one shell, as a reader would."""
    yield outputs_of("make-it-yours.md", stack)
    stack.psql("database", "dsproject", "DROP TABLE houses")


def _answer(outputs: list[str], key: str) -> dict[str, Any]:
    found = next(text for text in outputs if key in text and text.strip().startswith("{"))
    answer: dict[str, Any] = json.loads(found)
    return answer


def test_table_is_loaded(outputs: list[str]) -> None:
    assert outputs[1].strip() == "COPY 80"


def test_one_row_of_three_features_is_one_prediction_on_the_api(outputs: list[str]) -> None:
    answer = _answer(outputs, '"cached"')

    (price,) = answer["predictions"]
    ((low, high),) = answer["intervals"]
    assert 200_000 < price < 400_000
    assert low < price < high
    assert 0 < answer["confidence"][0] < 1


def test_rows_are_rows_on_model_serve(outputs: list[str]) -> None:
    answer = next(json.loads(text) for text in outputs if text.strip().startswith('{"predictions"'))

    (large,), (small,) = answer["predictions"]
    assert small < large


def test_versions_are_listed_with_their_estimator(outputs: list[str]) -> None:
    (listing,) = (text for text in outputs if "verdict" in text)

    (line,) = (line for line in listing.splitlines() if "RandomForestRegressor" in line)
    assert " current " in line
    assert " 80 " in line


@pytest.mark.usefixtures("outputs")
def test_afterwards_the_demonstration_is_back(stack: Stack) -> None:
    assert stack.serve.post("/predict", json={"values": [5]}).json()["predictions"] == [[11.0]]
    assert len(stack.api.post("/predict", json={"features": [1, 2, 3]}).json()["predictions"]) == 3
