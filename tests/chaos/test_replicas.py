"""With two replicas of the api the end of one fails no request: nginx retries on the other one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.harness.chaos.engine import start, stop
from tests.harness.chaos.ledger import Ledger, check, check_failures, drained
from tests.harness.chaos.recorded_load import Load
from tests.harness.chaos.recovery import await_recovery
from tests.harness.chaos.system import System
from tests.harness.stack.containers import Container
from tests.harness.stack.waiting import wait_until


@pytest.fixture(scope="module")
def replicas(system: System) -> Iterator[list[Container]]:
    """Give the containers of two replicas that both answer."""
    system.compose("up", "--detach", "--wait", "--no-recreate", "--scale", "api=2", "api")
    try:
        yield system.containers("api")
    finally:
        system.compose("up", "--detach", "--wait", "--no-recreate", "--scale", "api=1", "api")


def crash(container: Container) -> None:
    """End it by SIGKILL; the engine starts it again."""
    container.kill()


def restart(container: Container) -> None:
    """Stop it by SIGTERM, as a deployment does, and start it again."""
    stop(container)
    start(container)


@pytest.mark.parametrize("end", [crash, restart])
def test_the_end_of_a_replica_costs_no_request(
    system: System, load: Load, ledger: Ledger, replicas: list[Container], end: Callable[[Container], None]
) -> None:
    """A request that was lost on the way is sent again under the same key, so it is logged once."""
    await_recovery(system, load, time.monotonic())
    began = time.monotonic()
    end(replicas[0])
    ended = time.monotonic()
    wait_until(partial(are_healthy, system, replicas), 120, "both replicas to be back")
    await_recovery(system, load, ended)
    outcomes = load.since(began)
    drained(system)
    ledger.add(f"{end.__name__} of one of two replicas", outcomes, ended, time.monotonic() - ended)

    check(system, outcomes)
    check_failures(outcomes, ended, outage=False)


def are_healthy(system: System, containers: list[Container]) -> bool:
    """Return whether the engine finds these containers healthy."""
    found = {container.id: container.health for container in system.containers("api")}
    return all(found.get(container.id) == "healthy" for container in containers)
