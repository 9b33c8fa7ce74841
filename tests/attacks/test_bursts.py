"""Eight hundred large requests at once at the front door: answered or refused, nothing acknowledged is lost.

The requests of other clients may be refused meanwhile, too: the attack is from the address of all tests.
"""

from __future__ import annotations

from tests.harness.attacks.aftermath import MB, SERVERS
from tests.harness.attacks.memory import memories
from tests.harness.processes.crowd import predict_at_once
from tests.harness.processes.raw_http import request
from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

LARGE = request({"values": list(range(4_000))})  # 20 kB; the answer is 0.3 MB
STAYS = 128 * MB  # that allocators of a replica may keep for the next burst: attacks/api/test_memory.py


def test_eight_hundred_large_requests_are_answered_or_refused(stack: Stack) -> None:
    containers = [each for service in SERVERS for each in stack.containers(service)]
    before = memories(containers)

    statuses, ids = predict_at_once(stack.port("API_PORT"), [LARGE] * 800)

    assert statuses.keys() <= {200, 429, 503}, statuses
    assert statuses[200], statuses
    for client in (stack.api, stack.serve):
        assert client.post("/predict", json={"values": [5]}).status_code == 200
    now = [each for service in SERVERS for each in stack.containers(service)]
    assert {(each.id, each.started) for each in now} == {(each.id, each.started) for each in containers}
    assert len(set(ids)) == statuses[200]
    wait_until(lambda: set(ids) <= stack.logged_ids(), 120, "what was acknowledged to be logged")

    def is_back() -> bool:
        return all(memory < before[key] + STAYS for key, memory in memories(containers).items())

    wait_until(is_back, 30, "memory to be back", pause=1)
