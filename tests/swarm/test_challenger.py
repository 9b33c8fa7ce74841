"""A version is tried beside the current one by all replicas, on whatever node they are."""

from __future__ import annotations

import pytest

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.client import Clients
from tests.harness.swarm.lab import MACHINES
from tests.harness.swarm.stack import SwarmStack


@pytest.fixture
def versions(stack: SwarmStack) -> tuple[str, str]:
    """Return the current version and another one."""
    models = stack.folder / "models"
    if len(list((models / "versions").iterdir())) == 1:
        before = (models / "current").resolve()
        stack.train(seed=7)
        wait_until(lambda: (models / "current").resolve() != before, 120, "another version")
    current = (models / "current").resolve().name
    return current, next(path.name for path in (models / "versions").iterdir() if path.name != current)


def test_a_canary_answers_its_share_of_the_callers_through_every_node(
    stack: SwarmStack, versions: tuple[str, str]
) -> None:
    current, other = versions

    stack.models("canary", other, "--share", "0.5", "--force")
    wait_until(lambda: _answering(stack) == {int(current), int(other)}, 10, "both versions")
    shares = _by_caller(stack)
    stack.models("canary", "--off")

    wait_until(lambda: _answering(stack) == {int(current)}, 10, "the current version alone")
    assert all(len(answers) == 1 for answers in shares.values()), "a caller's version depends on the node"
    assert 8 < sum(answers == {int(other)} for answers in shares.values()) < 32


def test_a_shadow_is_scored_and_compared(stack: SwarmStack, versions: tuple[str, str]) -> None:
    _, other = versions
    scored = "SELECT count(*) FROM shadow_predictions"

    stack.models("shadow", other)
    with Clients(stack.key.splitlines()[0]):
        wait_until(lambda: int(stack.sql(scored)) > 20, 60, "scores", pause=1)
    told = stack.models("compare", other)
    stack.models("shadow", "--off")

    assert f"challenger          version {other}" in told
    assert "shadow" in stack.models("history")


def test_what_the_servers_tell_each_other_lies_where_all_see_it(stack: SwarmStack) -> None:
    for service in ("api", "model-serve"):
        stack.exec(service, "sh", "-c", f"echo told >/events/{service}.test")

        assert (stack.folder / "models" / "events" / f"{service}.test").read_text() == "told\n"
        (stack.folder / "models" / "events" / f"{service}.test").unlink()


def _ask(stack: SwarmStack, machine: int, caller: str) -> int:
    answer = stack.post(machine, "/predict", {"values": [5]}, **{"X-Caller-ID": caller})
    version: int = answer.raise_for_status().json()["model_version"]
    return version


def _by_caller(stack: SwarmStack) -> dict[str, set[int]]:
    callers = [f"caller-{number}" for number in range(40)]
    return {caller: {_ask(stack, machine, caller) for machine in MACHINES} for caller in callers}


def _answering(stack: SwarmStack) -> set[int]:
    return set().union(*_by_caller(stack).values())
