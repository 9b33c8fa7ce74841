"""`docker compose up` again, with nothing new: nothing happens, and quickly."""

from __future__ import annotations

from tests.harness.stack.compose import Stack

_STEPS = ("data-prep", "data-validate", "model-train", "model-evaluate")
_BOUND = 5.0  # seconds of all steps together, from each container's start to its end


def test_second_up_changes_nothing(stack: Stack) -> None:
    asked = {"features": [4.25, 7.5]}
    stack.api.post("/predict", json=asked)
    before = _state(stack)

    stack.compose("up", "--wait")

    assert _state(stack) == before
    assert stack.api.post("/predict", json=asked).json()["cached"] is True
    assert stack.psql("database", "dsproject", "SELECT count(*) FROM linear_data") == "100"


def test_up_after_a_build_replaces_no_server(stack: Stack) -> None:
    stack.compose("up", "--build", "--wait")
    before = _state(stack)

    stack.compose("up", "--wait")

    assert _state(stack) == before


def test_every_volume_has_a_name(stack: Stack) -> None:
    """An anonymous volume, declared by an image, would remain after each `down`, without an owner."""
    names = [
        mount["Name"]
        for container in stack.containers()
        for mount in container.inspected["Mounts"]
        if mount["Type"] == "volume"
    ]

    assert names
    assert [name for name in names if not name.startswith(f"{stack.project}_")] == []


def test_steps_with_nothing_to_do_take_less_than_five_seconds(stack: Stack) -> None:
    seconds = _seconds_of_steps(stack)
    for _ in range(2):  # the machine may have been busy with something else
        if seconds >= _BOUND:
            stack.compose("up", "--wait")
            seconds = min(seconds, _seconds_of_steps(stack))

    assert seconds < _BOUND


def _state(stack: Stack) -> tuple[object, ...]:
    versions = stack.run_step("models").stdout
    servers = {each.id: each.started for each in stack.containers() if each.is_server}
    return versions, stack.api.get("/readyz").json(), stack.serve.get("/readyz").json(), servers


def _seconds_of_steps(stack: Stack) -> float:
    ran = [stack.container(name) for name in _STEPS]
    return sum((each.finished - each.started).total_seconds() for each in ran)
