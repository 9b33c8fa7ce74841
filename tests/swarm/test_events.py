"""Every acknowledged prediction is logged once; who tries another machine always gets an answer."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.client import Clients
from tests.harness.swarm.lab import MACHINES, name
from tests.harness.swarm.record import compare, record
from tests.harness.swarm.stack import CHANGED, STORES, SwarmStack

Happening = Callable[[SwarmStack], None]


def scaled(stack: SwarmStack) -> None:
    """Two replicas of the api become six, then three."""
    for replicas in (6, 3):
        stack.lab.docker("service", "scale", "--detach", f"{stack.service('api')}={replicas}")
        stack.wait_until_running("api", replicas)


def updated(stack: SwarmStack) -> None:
    """Every replica of both servers gets a changed image, one after the other."""
    stack.deploy(TAG=CHANGED)
    for service in ("api", "model-serve"):
        stack.wait_until_updated(service)
        assert {task["Image"].partition(":")[2] for task in stack.lab.tasks(stack.service(service))} == {
            CHANGED
        }


def broken_update(stack: SwarmStack) -> None:
    """An update whose processes never answer goes back by itself."""
    broken = ("--health-cmd", "false", "--health-interval", "1s", "--health-retries", "2")
    stack.lab.docker(
        "service", "update", "--detach", *broken, "--health-start-period", "1s", stack.service("api")
    )
    wait_until(lambda: stack.update_status("api") == "rollback_completed", 240, "the way back", pause=1)


def retrained(stack: SwarmStack) -> None:
    """Another model is trained, and followed by all replicas."""
    current = stack.folder / "models" / "current"
    before = current.resolve()
    stack.lab.docker(
        "service", "update", "--detach", "--force", "--env-add", "DATA_SEED=7", stack.service("data-prep")
    )
    wait_until(lambda: current.resolve() != before, 120, "another version", pause=0.2)
    time.sleep(5)


def secret_changed(stack: SwarmStack) -> None:
    """A new API key beside the old one rolls through both servers."""
    keys = stack.folder / "secrets" / "api_keys" / "value"
    keys.write_text(f"{stack.key}\nanother-key-0123456789\n", encoding="utf-8")
    stack.deploy()
    for service in ("api", "model-serve"):
        stack.wait_until_updated(service)


def drained(stack: SwarmStack) -> None:
    """The machine with the training data is emptied for maintenance, and comes back."""
    machine = STORES["database"]
    stack.lab.docker("node", "update", "--availability", "drain", name(machine))
    wait_until(lambda: not stack.lab.tasks_on(machine), 180, "an empty machine", pause=1)
    stack.lab.docker("node", "update", "--availability", "active", name(machine))


def leader_killed(stack: SwarmStack) -> None:
    """The machine that leads the Swarm loses power."""
    _power_cut(stack, stack.lab.leader())


def postgres_killed(stack: SwarmStack) -> None:
    """The machine with the prediction log loses power."""
    _power_cut(stack, STORES["postgres"])


def redis_killed(stack: SwarmStack) -> None:
    """The machine with the cache and the queue loses power."""
    _power_cut(stack, STORES["redis"])


def partitioned(stack: SwarmStack) -> None:
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
    "another API key": secret_changed,
    "a machine drained for maintenance": drained,
    "power cut: the leader": leader_killed,
    "power cut: the machine with PostgreSQL": postgres_killed,
    "power cut: the machine with Redis": redis_killed,
    "network cut: the machine with Redis": partitioned,
}


@pytest.mark.parametrize("happening", HAPPENINGS.values(), ids=HAPPENINGS)
def test_event(stack: SwarmStack, happening: Happening, request: pytest.FixtureRequest) -> None:
    with Clients(stack.key.splitlines()[0]) as clients:
        wait_until(lambda: len(clients.asked) > 50, 60, "the first answers")
        happening(stack)
        ended = time.monotonic()
        stack.wait_until_complete()
        recovery = time.monotonic() - ended
        time.sleep(3)
    wait_until(lambda: _queued(stack) == 0, 120, "the queue to drain", pause=1)

    found = compare(stack, clients)
    event = record(request.node.callspec.id, clients, recovery, found)

    assert found == (0, 0, 0), event
    assert not clients.failed, clients.failed[:5]


def _power_cut(stack: SwarmStack, machine: int) -> None:
    """Let a machine lose power until the Swarm has noticed, and come back."""
    stack.lab.kill(machine)
    wait_until(lambda: stack.lab.state(machine) == "down", 120, "the Swarm to notice", pause=1)
    stack.lab.start(machine)
    wait_until(lambda: stack.lab.state(machine) == "ready", 120, "the machine to be back", pause=1)


def _queued(stack: SwarmStack) -> int:
    command = "REDISCLI_AUTH=$(cat /run/secrets/redis_password/value) redis-cli XLEN predictions:queue"
    return int(stack.exec("redis", "sh", "-c", command))


def test_the_machines_are_three(stack: SwarmStack) -> None:
    assert len(stack.lab.docker("node", "ls", "-q").split()) == len(MACHINES)
