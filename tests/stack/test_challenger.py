"""docs/challenger.md, word for word: a version is tried as a shadow and as a canary, and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.harness.documents.page import outputs_of
from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until


@pytest.fixture(scope="module")
def outputs(stack: Stack) -> Iterator[list[str]]:
    """What the commands of the page print, each; afterwards the demonstration's version is the latest."""
    yield outputs_of("challenger.md", stack)
    stack.compose("up", "--detach", "--wait")


def only(outputs: list[str], beginning: str) -> str:
    """Return what the one command printed whose output begins so."""
    (found,) = [text.strip() for text in outputs if text.strip().startswith(beginning)]
    return found


def test_the_shadow_is_compared_on_requests_with_true_values(outputs: list[str]) -> None:
    """As text, as JSON, and by the api."""
    text = only(outputs, "challenger ")
    documents = [json.loads(each) for each in outputs if '"conclusion"' in each]

    assert "requests compared   40 with 40 rows" in text
    assert "RMSE of challenger" in text
    assert "errs more than version" in text.splitlines()[-1]
    assert len(documents) == 2
    assert documents[0] == documents[1]
    assert documents[0]["truths"]["requests"] == 40


def test_a_caller_is_answered_by_the_same_version_on_both_servers(outputs: list[str]) -> None:
    answers = [json.loads(text) for text in outputs if '"model_version"' in text and '"conf' in text]

    assert len({answer["model_version"] for answer in answers}) == 1
    assert len(answers) == 2


def test_the_history_tells_what_was_tried(outputs: list[str]) -> None:
    tried = outputs[-1].partition("tried ")[2].splitlines()[-4:]

    assert [line.split()[2] for line in tried] == ["shadow", "canary", "canary", "shadow"]
    assert [line.split()[3] for line in tried] == ["person"] * 4


@pytest.mark.usefixtures("outputs")
def test_prometheus_knows_that_nothing_is_tried_any_more(stack: Stack) -> None:
    def ended() -> bool:
        values = stack.query("canary_share == 0 and on () shadow_version == 0")
        return len(values) == 2  # of the api and of model-serve

    wait_until(ended, 60, "both servers to have no canary")
