"""Eight hundred large requests at once at the front door: answered or refused, nothing acknowledged is lost.

The requests of other clients may be refused meanwhile, too: the attack is from the address of all tests.
"""

from __future__ import annotations

from tests.attacks.conftest import PORTS
from tests.harness.attacks.aftermath import MB, SERVERS
from tests.harness.attacks.memory import memories
from tests.harness.processes.crowd import ask_at_once
from tests.harness.processes.raw_http import request
from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

LARGE = request({"values": list(range(10_000))})
STAYS = 128 * MB  # that allocators of a replica may keep for the next burst: attacks/api/test_memory.py
LOGGED = "SELECT count(*) FROM predictions WHERE jsonb_array_length(input_data) = 10000"


def logged(stack: Stack) -> int:
    """Return how many of the large predictions are in the log."""
    return int(stack.psql("postgres", "predictions", LOGGED))


def test_eight_hundred_large_requests_are_answered_or_refused(stack: Stack) -> None:
    containers = [each for service in SERVERS for each in stack.containers(service)]
    before, logged_before = memories(containers), logged(stack)

    statuses = {name: ask_at_once(stack.port(port), [LARGE] * 800) for name, port in PORTS.items()}

    assert all(found.keys() <= {200, 429, 503} for found in statuses.values()), statuses
    assert all(found[200] for found in statuses.values()), statuses
    for client in (stack.api, stack.serve):
        assert client.post("/predict", json={"values": [5]}).status_code == 200
    now = [each for service in SERVERS for each in stack.containers(service)]
    assert {(each.id, each.started) for each in now} == {(each.id, each.started) for each in containers}
    acknowledged = statuses["api"][200]
    wait_until(
        lambda: logged(stack) == logged_before + acknowledged, 30, "every acknowledged one to be logged"
    )

    def is_back() -> bool:
        return all(memory < before[key] + STAYS for key, memory in memories(containers).items())

    wait_until(is_back, 30, "memory to be back", pause=1)
