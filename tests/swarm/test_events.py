"""Every acknowledged prediction is logged once; who tries another machine always gets an answer."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.client import Clients
from tests.harness.swarm.lab import MACHINES, name
from tests.harness.swarm.stack import CHANGED, STORES, SwarmStack
from tests.harness.swarm.under_load import follow_change, power_cut, under_load

Happening = Callable[[SwarmStack, Clients], None]


def scaled(stack: SwarmStack, _: Clients) -> None:
    """Two replicas of the api become six, then three."""
    for replicas in (6, 3):
        stack.lab.docker("service", "scale", "--detach", f"{stack.service('api')}={replicas}")
        stack.wait_until_running("api", replicas)


def updated(stack: SwarmStack, _: Clients) -> None:
    """Every replica of both servers gets a changed image; that of the steps has an estimator of one's own."""
    stack.deploy(TAG=CHANGED, MODEL_ESTIMATOR="model.py:make_estimator")
    for service in ("api", "model-serve"):
        stack.wait_until_updated(service)
        images = [task["Image"].partition(":")[2] for task in stack.lab.tasks(stack.service(service))]
        assert set(images) == {CHANGED}
    wait_until(
        lambda: "model.py:make_estimator" in stack.models("show", stack.latest()),
        120,
        "the own estimator",
        pause=1,
    )


def broken_update(stack: SwarmStack, _: Clients) -> None:
    """An update whose processes never answer goes back by itself."""
    stack.break_update("api")
    wait_until(lambda: stack.update_status("api") == "rollback_completed", 240, "the way back", pause=1)


def retrained(stack: SwarmStack, _: Clients) -> None:
    """Another model is trained, and followed by all replicas."""
    current = stack.folder / "models" / "current"
    before = current.resolve()
    stack.train(seed=7)
    wait_until(lambda: current.resolve() != before, 120, "another version", pause=0.2)
    time.sleep(5)


def rolled_back(stack: SwarmStack, clients: Clients) -> None:
    """The model before is served again, by every replica within two seconds."""
    current = stack.folder / "models" / "current"
    if len(list((stack.folder / "models" / "versions").iterdir())) == 1:
        retrained(stack, clients)

    follow_change(clients, current.readlink, lambda: stack.models("rollback"))


def secret_changed(stack: SwarmStack, _: Clients) -> None:
    """A new API key beside the old one rolls through both servers."""
    keys = stack.folder / "secrets" / "api_keys" / "value"
    keys.write_text(f"{stack.key}\nanother-key-0123456789\n", encoding="utf-8")
    stack.deploy()
    for service in ("api", "model-serve"):
        stack.wait_until_updated(service)


def drained(stack: SwarmStack, _: Clients) -> None:
    """The machine with the training data is emptied for maintenance, and comes back."""
    machine = STORES["database"]
    stack.lab.docker("node", "update", "--availability", "drain", name(machine))
    wait_until(lambda: not stack.lab.tasks_on(machine), 180, "an empty machine", pause=1)
    stack.lab.docker("node", "update", "--availability", "active", name(machine))


def leader_killed(stack: SwarmStack, _: Clients) -> None:
    """The machine that leads the Swarm loses power."""
    power_cut(stack, stack.lab.leader())


def postgres_killed(stack: SwarmStack, _: Clients) -> None:
    """The machine with the prediction log loses power."""
    power_cut(stack, STORES["postgres"])


def redis_killed(stack: SwarmStack, _: Clients) -> None:
    """The machine with the cache and the queue loses power."""
    power_cut(stack, STORES["redis"])


def partitioned(stack: SwarmStack, _: Clients) -> None:
    """No packet reaches or leaves the machine with the cache for 20 seconds."""
    machine = STORES["redis"]
    stack.lab.cut(machine)
    time.sleep(20)
    stack.lab.heal(machine)
    wait_until(lambda: stack.lab.state(machine) == "ready", 120, "the machine to be back", pause=1)


HAPPENINGS: dict[str, Happening] = {
    "api scaled from 2 to 6, then to 3": scaled,
    "rolling update of both servers": updated,
    "an update that never gets healthy": broken_update,
    "retrained": retrained,
    "model rolled back": rolled_back,
    "another API key": secret_changed,
    "a machine drained for maintenance": drained,
    "power cut: the leader": leader_killed,
    "power cut: the machine with PostgreSQL": postgres_killed,
    "power cut: the machine with Redis": redis_killed,
    "network cut: the machine with Redis": partitioned,
}
_SHORT = {"rolling update of both servers", "power cut: the machine with PostgreSQL"}


@pytest.mark.parametrize(
    "happening",
    [
        pytest.param(happening, id=name, marks=pytest.mark.short if name in _SHORT else ())
        for name, happening in HAPPENINGS.items()
    ],
)
def test_event(stack: SwarmStack, happening: Happening, request: pytest.FixtureRequest) -> None:
    with under_load(stack, request.node.callspec.id) as clients:
        happening(stack, clients)


def test_the_machines_are_three(stack: SwarmStack) -> None:
    assert len(stack.lab.docker("node", "ls", "-q").split()) == len(MACHINES)
