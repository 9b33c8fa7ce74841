"""The profile extended on the running stack: the optional steps run in their order and affect no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import Container

_PROFILE = ("--profile", "extended")
_ONE_CANDIDATE = {"OPTIMIZE_CANDIDATES": '[{"estimator": "sklearn.linear_model.Ridge"}]'}
_STEPS = ("data-validate", "feature-engineering", "model-train", "model-evaluate", "model-optimize")


@pytest.fixture(scope="module")
def extended(stack: Stack) -> Iterator[Stack]:
    """The stack with the optional steps; without them again afterwards."""
    stack.compose(*_PROFILE, "up", "--detach", "--wait", env=_ONE_CANDIDATE)
    yield stack
    stack.compose(
        *_PROFILE,
        "rm",
        "--stop",
        "--force",
        "feature-engineering",
        "collect-feedback",
        "model-optimize",
        "model-monitor",
    )
    for table in ("linear_features", "collected_feedback", "linear_data_with_feedback"):
        stack.psql("database", "dsproject", f"DROP TABLE {table}")


def _ended(stack: Stack) -> dict[str, Container]:
    return {step: stack.container(step) for step in _STEPS}


def test_every_step_ends_well_and_after_the_one_before(extended: Stack) -> None:
    steps = _ended(extended)

    assert {name: step.exit_code for name, step in steps.items()} == dict.fromkeys(_STEPS, 0)
    ends = [step.finished for step in steps.values()]
    assert ends == sorted(ends)


def test_the_feature_table_can_be_read_by_who_serves(extended: Stack) -> None:
    as_reader = "SET ROLE reader; SELECT count(*), bool_and(x_squared = x * x) FROM linear_features"

    assert extended.psql("database", "dsproject", as_reader).splitlines()[-1] == "100|t"


def test_the_model_that_nothing_beats_goes_on_serving(extended: Stack) -> None:
    answer = extended.serve.post("/predict", json={"values": [5]}).json()

    assert answer["predictions"] == [[11.0]]
    assert "Ridge" not in extended.compose("run", "--rm", "models", "list").stdout


def test_the_monitor_is_healthy_beside_them(extended: Stack) -> None:
    assert extended.container("model-monitor").health == "healthy"
