"""Another training on a Swarm: on columns that step 15 derives, and on true values that step 30 collects."""

from __future__ import annotations

import json
from typing import Any

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.client import Clients
from tests.harness.swarm.stack import SwarmStack


def _manifest(stack: SwarmStack) -> dict[str, Any]:
    text = (stack.folder / "models" / "current" / "manifest.json").read_text(encoding="utf-8")
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def _learns_from(stack: SwarmStack, table: str, *features: str) -> None:
    def does() -> bool:
        manifest = _manifest(stack)
        return (manifest["provenance"]["table"], manifest["features"]) == (table, [*features])

    wait_until(does, 180, f"a model of {features} in {table}", pause=1)


def test_a_model_is_trained_on_derived_columns_and_on_true_values(stack: SwarmStack) -> None:
    with Clients(stack.key.splitlines()[0]) as clients:
        wait_until(lambda: len(clients.asked) > 100, 60, "answers")
    told = [{"id": each.id, "actual": [2 * each.x + 1]} for each in clients.asked if each.id]
    answer = stack.post(1, "/feedback", told)
    assert answer.json()["accepted"] == len(told), answer.text

    stack.deploy(TRAIN_TABLE="linear_features", TRAIN_FEATURES="x,x_squared")
    _learns_from(stack, "linear_features", "x", "x_squared")

    stack.deploy(TRAIN_TABLE="linear_data_with_feedback")
    _learns_from(stack, "linear_data_with_feedback", "x")

    stack.deploy()
    stack.wait_until_complete()
