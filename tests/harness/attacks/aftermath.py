"""What must hold after every attack: nothing ended, nothing acknowledged is lost, memory is back."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from tests.harness.attacks.memory import memories
from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import Container
from tests.harness.stack.kept_load import Load
from tests.harness.stack.waiting import wait_until

MB = 1 << 20
SERVERS = ("nginx", "api", "model-serve")
PREDICTION = {"values": [5.0]}
# Allocators keep some of what was freed: so much in a container is no leak. The limits are 512 MB and more.
KEPT = 64 * MB


@dataclass
class Aftermath:
    """The state of the servers before an attack, and others' requests during it."""

    stack: Stack
    containers: list[Container]
    memory: dict[str, int]
    acknowledged: list[str] = field(default_factory=list)  # ids of the attacker's own predictions

    @classmethod
    def expected(cls, stack: Stack) -> Aftermath:
        """Look at the stack as it is."""
        containers = [each for service in SERVERS for each in stack.containers(service)]
        return cls(stack, containers, memories(containers))

    def keep(self, *answers: httpx.Response) -> None:
        """Remember that these predictions were acknowledged."""
        self.acknowledged += [answer.json()["id"] for answer in answers if answer.status_code == 200]

    def check(self, bystanders: list[Load]) -> None:
        """Assert what must hold, of the attacker's requests and of others' that were sent meanwhile."""
        for load in bystanders:
            load.assert_all_answered()
            assert load.answers
        self._is_serving()
        self._has_logged([*self.acknowledged, *_ids(bystanders)])
        self._has_memory_back()

    def _is_serving(self) -> None:
        now = [each for service in SERVERS for each in self.stack.containers(service)]
        assert {(each.id, each.started) for each in now} == {
            (each.id, each.started) for each in self.containers
        }
        for client in (self.stack.api, self.stack.serve):
            assert client.post("/predict", json=PREDICTION).status_code == 200

    def _has_logged(self, ids: list[str]) -> None:
        query = "SELECT id FROM predictions"
        logged = self.stack.psql("postgres", "predictions", query).split()
        assert len(set(ids)) == len(ids), "an id was given twice"
        assert len(set(logged)) == len(logged)
        assert set(ids) <= set(logged)

    def _has_memory_back(self) -> None:
        def grown() -> dict[str, int]:
            now = memories(self.containers)
            return {key: bytes_ // MB for key, bytes_ in now.items() if bytes_ > self.memory[key] + KEPT}

        wait_until(lambda: not grown(), 30, "memory to be back", pause=1)


def _ids(loads: list[Load]) -> list[str]:
    found = (answer.json() for load in loads for answer in load.answers)
    return [answer["id"] for answer in found if "id" in answer]
