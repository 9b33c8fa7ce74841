"""The prediction log with a standby on another machine, which is promoted when the primary's is gone."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.alerts import wait_until_ended, wait_until_told
from tests.harness.swarm.client import Clients
from tests.harness.swarm.record import compare, record
from tests.harness.swarm.stack import SERVER_MACHINES, STANDBY, STORES, SwarmStack
from tests.harness.swarm.under_load import under_load

_EVENT = "power cut: the machine with PostgreSQL, its standby promoted"
_RECONNECTED_SECONDS = 5.0
_LATEST = 'SELECT max("timestamp") FROM predictions'
_TAKES_WRITES = "SELECT NOT pg_is_in_recovery()"


@pytest.fixture
def followed(stack: SwarmStack) -> SwarmStack:
    """Give the stack a standby, as docs/scaling.md tells: it had none."""
    stack.prepare_standby()
    stack.deploy()
    wait_until(lambda: _is_followed(stack, "postgres"), 240, "the standby", pause=1)
    stack.wait_until_updated("api")  # each replica has the address of both
    stack.wait_until_complete()
    return stack


def test_a_standby_without_power_is_told_of_and_costs_no_answer(followed: SwarmStack) -> None:
    stack, machine = followed, SERVER_MACHINES[STANDBY]
    with under_load(stack, "power cut: the machine with the log's standby"):
        stack.lab.kill(machine)
        wait_until_told(stack, "StandbyAway")
        stack.lab.start(machine)
        wait_until(lambda: stack.lab.state(machine) == "ready", 120, "the machine to be back", pause=1)

    wait_until_ended(stack, "StandbyAway")


def test_what_was_acknowledged_is_in_the_promoted_standby(followed: SwarmStack) -> None:
    stack, machine = followed, STORES["postgres"]
    with Clients(stack.key.splitlines()[0]) as clients:
        wait_until(lambda: len(clients.asked) > 200, 60, "the first answers")
        stack.lab.kill(machine)
        wait_until(lambda: stack.lab.state(machine) == "down", 120, "the Swarm to notice", pause=1)
        stack.promote(STANDBY)
        wait_until(lambda: _says(stack, STANDBY, _TAKES_WRITES), 120, "the promotion", pause=0.1)
        promoted = time.monotonic()
        stack.log = STANDBY
        logged = stack.sql(_LATEST)
        wait_until(lambda: stack.sql(_LATEST) != logged, 60, "another row", pause=0.1)
        seconds = time.monotonic() - promoted

        stack.lab.start(machine)
        wait_until(lambda: stack.lab.state(machine) == "ready", 120, "the machine to be back", pause=1)
        ended = time.monotonic()
        stack.wait_until_complete()
        recovery = time.monotonic() - ended
        wait_until(lambda: _is_followed(stack, STANDBY), 120, "the earlier primary to follow", pause=1)
        time.sleep(3)
    wait_until(lambda: compare(stack, clients)[0] == 0, 120, "the queue to drain", pause=2)

    assert stack.sql(_TAKES_WRITES, service="postgres").strip() == "f"
    found = compare(stack, clients)
    event = record(_EVENT, clients, recovery, found)
    assert found == (0, 0, 0), event
    assert not clients.failed, clients.failed[:5]
    assert seconds < _RECONNECTED_SECONDS


def test_the_next_deployment_leaves_the_promoted_server_where_it_is(stack: SwarmStack) -> None:
    stack.deploy()
    stack.wait_until_complete()

    assert _is_followed(stack, STANDBY)
    assert stack.sql("SELECT count(*) FROM predictions") == stack.sql(
        "SELECT count(*) FROM predictions", service="postgres"
    )


def _is_followed(stack: SwarmStack, primary: str) -> bool:
    """Return whether the primary's commits wait for the other server."""
    return _says(stack, primary, "SELECT bool_or(sync_state = 'sync') FROM pg_stat_replication")


def _says(stack: SwarmStack, service: str, query: str) -> bool:
    """Return whether a server that is up answers `true`."""
    with suppress(AssertionError):  # it may be starting
        return stack.sql(query, service=service).strip() == "t"
    return False
