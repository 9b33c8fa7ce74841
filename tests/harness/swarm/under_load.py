"""What happens to the stack while clients ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.client import Clients
from tests.harness.swarm.lab import MACHINES
from tests.harness.swarm.record import compare, record
from tests.harness.swarm.stack import SwarmStack


@contextmanager
def under_load(stack: SwarmStack, name: str, machines: Sequence[int] = MACHINES) -> Iterator[Clients]:
    """Let clients ask these machines while the block runs and until all replicas are there; record it.

    Every question must be answered, and every answer be logged once, as it was given.
    """
    with Clients(stack.key.splitlines()[0], machines) as clients:
        wait_until(lambda: len(clients.asked) > 50, 60, "the first answers")
        yield clients
        ended = time.monotonic()
        stack.wait_until_complete()
        recovery = time.monotonic() - ended
        time.sleep(3)
    wait_until(lambda: queued(stack) == 0, 120, "the queue to drain", pause=1)

    found = compare(stack, clients)
    event = record(name, clients, recovery, found)

    assert found == (0, 0, 0), event
    assert not clients.failed, clients.failed[:5]


def power_cut(stack: SwarmStack, *machines: int) -> None:
    """Let machines lose power at once, until the Swarm has noticed, and come back."""
    for machine in machines:
        stack.lab.kill(machine)

    def are(state: str) -> bool:
        return all(stack.lab.state(machine) == state for machine in machines)

    wait_until(lambda: are("down"), 120, "the Swarm to notice", pause=1)
    for machine in machines:
        stack.lab.start(machine)
    wait_until(lambda: are("ready"), 120, "all of them to be back", pause=1)


def follow_change(clients: Clients, pointer: Callable[[], object], change: Callable[[], object]) -> None:
    """Change the served version; two seconds after the pointer's all answers must be of the new one."""
    before = pointer()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(change)
        while pointer() == before and not running.done():
            time.sleep(0.005)
        changed = time.monotonic()
        assert pointer() != before, running.result()
        running.result()
    time.sleep(5)
    asked = [each for each in clients.asked if each.id]
    earlier = {each.version for each in asked if changed - 2 < each.at < changed - each.seconds}
    later = [each for each in asked if each.at > changed + 2]

    assert len(later) > 50
    assert len({each.version for each in later}) == 1, [(e.at - changed, e.version) for e in later[:20]]
    assert len(earlier) == 1
    assert later[-1].version not in earlier, earlier


def queued(stack: SwarmStack) -> int:
    """Return how many rows wait in Redis."""
    command = "REDISCLI_AUTH=$(cat /run/secrets/redis_password/value) redis-cli XLEN predictions:queue"
    return int(stack.exec("redis", "sh", "-c", command))
