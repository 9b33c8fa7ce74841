"""docs/feedback.md, word for word: true values, the error they show, a training that learns from them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.harness.documents.page import outputs_of
from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until


@pytest.fixture(scope="module")
def outputs(stack: Stack) -> Iterator[list[str]]:
    """What the commands of the page print, each; afterwards the demonstration is trained again."""
    yield outputs_of("feedback.md", stack)
    stack.compose("up", "--detach", "--wait")
    wait_until(lambda: _followed(stack), 10, "both servers to follow")
    stack.psql("database", "dsproject", "DROP TABLE collected_feedback, linear_data_with_feedback")


def _followed(stack: Stack) -> bool:
    """Return whether both servers answer by the version that the model volume calls current."""
    lines = stack.run_step("models").stdout.splitlines()
    (current,) = (line.split()[0] for line in lines if line.split()[1] == "current")
    answers = [
        stack.api.post("/predict", json={"features": [5]}),
        stack.serve.post("/predict", json={"values": [5]}),
    ]
    return {str(answer.json()["model_version"]) for answer in answers} == {current}


def reports(outputs: list[str]) -> list[dict[str, object]]:
    """Return the answers of POST /feedback."""
    return [json.loads(text) for text in outputs if text.strip().startswith('{"accepted"')]


def test_a_truth_is_accepted_and_then_corrected(outputs: list[str], stack: Stack) -> None:
    found = [{name: value for name, value in each.items() if value} for each in reports(outputs)]

    assert found == [{"accepted": 1}, {"corrected": 1}]
    kept = stack.psql(
        "postgres", "predictions", "SELECT actual FROM feedback ORDER BY received_at DESC LIMIT 2"
    )
    assert kept == "[11.4]\n[11.3]"


def test_the_monitor_tells_the_error(outputs: list[str]) -> None:
    lines = [json.loads(line) for text in outputs for line in text.splitlines() if '"live error"' in line]

    assert lines  # one for each version whose predictions have true values, other tests' too
    for line in lines:
        assert line["rows"] >= 1
        assert set(line["live"]) == {"rmse", "mae", "coverage"}


@pytest.mark.usefixtures("outputs")
def test_the_training_learnt_from_it(stack: Stack) -> None:
    version = stack.api.post("/predict", json={"features": [5]}).json()["model_version"]

    manifest = stack.compose("run", "--rm", "--no-deps", "-T", "models", "show", str(version)).stdout

    assert "linear_data_with_feedback" in manifest
