"""docs/classify.md and docs/categories.md, word for word: text, booleans, NULLs and dates; classes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.documents.page import outputs_of
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack

_VARIES = ("id", "model_version")  # from one stack to another


@pytest.fixture(scope="module")
def classified(stack: Stack) -> Iterator[list[str]]:
    """What each command of docs/classify.md prints."""
    yield outputs_of("classify.md", stack)
    stack.psql("database", "dsproject", "DROP TABLE tickets")


@pytest.fixture(scope="module")
def categories(stack: Stack) -> Iterator[list[str]]:
    """What each command of docs/categories.md prints."""
    yield outputs_of("categories.md", stack)
    stack.psql(
        "database",
        "dsproject",
        "DROP TABLE flats, flats_features, flats_features_with_feedback, collected_feedback",
    )


def _answers(outputs: list[str]) -> list[dict[str, Any]]:
    """Return what the servers answered, in order, as the page prints it."""
    found = [text for text in outputs if text.strip().startswith(('{"id"', '{"predictions"', '{"type"'))]
    return [json.loads(text, parse_float=lambda number: round(float(number), 9)) for text in found]


def _printed(page: str) -> dict[str, Any]:
    """Return the answer that the page prints."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    (block,) = re.findall(r"```json\n(.*?)\n```", text, re.DOTALL)
    answer: dict[str, Any] = json.loads(block, parse_float=lambda number: round(float(number), 9))
    return answer


def _without_what_varies(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in _VARIES}


def test_the_printed_answer_of_the_classifier_is_the_answer(classified: list[str]) -> None:
    assert _without_what_varies(_answers(classified)[0]) == _without_what_varies(_printed("classify.md"))


def test_both_servers_classify_with_probabilities_and_sets(classified: list[str]) -> None:
    for answer in _answers(classified)[:2]:
        (probabilities,), (members,) = answer["probabilities"], answer["prediction_sets"]
        assert list(probabilities) == ["billing", "sales", "technical"]
        assert sum(probabilities.values()) == pytest.approx(1, abs=2e-4)
        assert answer["confidence"] == [max(probabilities.values())]
        assert max(probabilities, key=probabilities.__getitem__) in members
        assert answer["unseen"] == [[]]


def test_an_unseen_category_is_an_answer_that_names_its_column(classified: list[str]) -> None:
    assert _answers(classified)[2]["unseen"] == [["product"]]


def test_a_value_of_another_kind_is_refused_by_the_name_of_its_column(classified: list[str]) -> None:
    problem = _answers(classified)[3]

    assert problem["status"] == 422
    assert "column words: expected a number" in problem["detail"]


@pytest.mark.usefixtures("classified")
def test_the_report_that_the_page_fetches_is_the_classifiers() -> None:
    report = (ROOT / "build" / "report.html").read_text("utf-8")

    assert "<h2>Confusion matrix</h2>" in report
    assert "<td>product</td><td>category</td><td>no</td><td>app, router, tariff</td>" in report


def test_the_printed_answer_of_the_regressor_is_the_answer(categories: list[str]) -> None:
    assert _without_what_varies(_answers(categories)[0]) == _without_what_varies(_printed("categories.md"))


def test_an_unseen_city_is_an_answer_with_an_interval(categories: list[str]) -> None:
    answer = _answers(categories)[1]

    (rent,), ((low, high),) = answer["predictions"][0], answer["intervals"]
    assert low < rent < high
    assert answer["unseen"] == [["city"]]


@pytest.mark.usefixtures("categories")
def test_a_true_value_became_a_row_of_the_derived_columns(stack: Stack) -> None:
    query = "SELECT city, area, floor, lift, day, rent FROM {} WHERE day = 20400 AND rent = 1030"

    for table in ("collected_feedback", "flats_features_with_feedback"):
        assert stack.psql("database", "dsproject", query.format(table)) == "Hanoi|90||t|20400|1030"


@pytest.mark.usefixtures("classified", "categories")
def test_after_the_examples_the_demonstration_is_back(stack: Stack) -> None:
    assert stack.serve.post("/predict", json={"values": [5]}).json()["predictions"] == [[11.0]]
