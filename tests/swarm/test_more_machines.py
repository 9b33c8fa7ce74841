"""Five machines: three managers and two workers without a store. Two of them at once may lose power."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.lab import MACHINES
from tests.harness.swarm.stack import IMAGES, STORES, SwarmStack
from tests.harness.swarm.under_load import power_cut, under_load

_WORKERS = (4, 5)
_ALL = (*MACHINES, *_WORKERS)
_LOST: dict[str, Callable[[SwarmStack], tuple[int, ...]]] = {
    "power cut: a machine without a store": lambda _: _WORKERS[:1],
    "power cut: two machines without a store": lambda _: _WORKERS,
    "power cut: the leader and a machine without a store": lambda stack: (stack.lab.leader(), _WORKERS[1]),
    "power cut: the machine with PostgreSQL and one without a store": lambda _: (
        STORES["postgres"], _WORKERS[0],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def spread(stack: SwarmStack) -> Iterator[SwarmStack]:
    """Have two more machines, and a replica of the api on each of the five."""
    before = len(stack.lab.tasks(stack.service("api")))
    with stack.lab.more(*_WORKERS, images=IMAGES):
        stack.lab.docker("service", "scale", "--detach", f"{stack.service('api')}={len(_ALL)}")
        stack.wait_until_running("api", len(_ALL))
        stack.wait_until_complete()
        wait_until(lambda: stack.answers(_ALL), 120, "an answer from every machine")
        yield stack
    stack.lab.docker("service", "scale", "--detach", f"{stack.service('api')}={before}")
    stack.wait_until_running("api", before)
    stack.wait_until_complete()


@pytest.mark.parametrize("lost", _LOST.values(), ids=_LOST)
def test_who_asks_another_machine_always_gets_an_answer(
    spread: SwarmStack, lost: Callable[[SwarmStack], tuple[int, ...]], request: pytest.FixtureRequest
) -> None:
    with under_load(spread, request.node.callspec.id, _ALL):
        power_cut(spread, *lost(spread))
