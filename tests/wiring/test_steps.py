"""The numbered steps: thin, and each in its place."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.harness.repository import COMBINATIONS, compose_config, read, services
from tests.harness.repository_root import ROOT

_STEPS = sorted(path.name for path in ROOT.glob("[0-9][0-9]-*.py"))
_IN_A_ROW = ("data-prep", "data-validate", "model-train", "model-evaluate", "model-serve")


@pytest.mark.parametrize("name", _STEPS)
def test_step_is_thin(name: str) -> None:
    assert len(read(name).splitlines()) <= 40


@pytest.mark.parametrize("name", _STEPS)
def test_step_is_a_service(name: str) -> None:
    commands = [service.get("command") or [] for service in services("everything").values()]

    assert ["python", name] in [command[:2] for command in commands]


def test_steps_run_in_the_order_of_their_numbers() -> None:
    everyone = services("plain")
    numbers = [everyone[name]["command"][1][:2] for name in _IN_A_ROW]

    assert numbers == sorted(numbers)
    for earlier, later in pairwise(_IN_A_ROW):
        assert earlier in everyone[later]["depends_on"], f"{later} waits for {earlier}"


def test_who_learns_and_who_collects_for_it_have_the_trainings_table() -> None:
    text = compose_config(
        "--format", "json", COMPOSE_PROFILES="extended", TRAIN_TABLE="derived", TRAIN_FEATURES="a,b"
    )
    everyone = json.loads(text)["services"]

    learning = {
        name
        for name, service in everyone.items()
        if service.get("environment", {}).get("DATA_TABLE") == "derived"
        and service["environment"]["DATA_FEATURES"] == "a,b"
    }

    assert learning == {"model-train", "model-optimize", "collect-feedback"}


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_collecting_waits_for_the_table_that_is_derived(combination: str) -> None:
    collecting = services(combination).get("collect-feedback", {"depends_on": {"feature-engineering": {}}})

    assert "feature-engineering" in collecting["depends_on"]


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_a_step_that_opens_the_model_store_has_it(combination: str) -> None:
    """Without the volume it would see no version, and say nothing."""
    openers = {name for name in _STEPS if "open_model_store" in read(name)}
    in_a_bucket = "object store" in combination

    for name, service in services(combination).items():
        if openers & set(service.get("command") or ()):
            (mount,) = [each for each in service["volumes"] if each["target"] == "/models"]
            assert mount["source"] == "model_data", name
            assert ("MODEL_STORE" in service["environment"]) == in_a_bucket, name
            assert not (in_a_bucket and mount.get("read_only")), f"{name}: a mirror is written"


def test_validation_only_reads_versions() -> None:
    (mount,) = services("plain")["data-validate"]["volumes"]

    assert mount["read_only"]
