"""Clients of several machines: who gets no answer from one asks the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType

import httpx

from tests.harness.swarm.lab import MACHINES, address

_CLIENTS = 6
_PAUSE = 0.03  # seconds between two requests of a client: two cores carry three machines
_PATIENCE = 2.0  # seconds for a machine's answer, before another one is asked
_ATTEMPTS = 6
SLOW = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, however many machines it took."""

    seconds: float
    id: str  # of the answer; empty: no machine gave one
    x: float
    value: float
    version: int
    failures: tuple[str, ...]  # of the attempts before the answer: the machine, and what it said
    at: float  # when it was asked, by the monotonic clock


@dataclass
class Clients:
    """Ask for the time of a `with` block, each another machine first."""

    key: str
    machines: Sequence[int] = MACHINES
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Clients:
        """Start."""
        self._over = threading.Event()
        self._numbers = count()
        self._threads = [threading.Thread(target=self._ask_on, args=(n,)) for n in range(_CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Stop, and wait for the outstanding answers."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def failed(self) -> list[Asked]:
        """The questions without an answer."""
        return [each for each in self.asked if not each.id]

    @property
    def slow(self) -> list[Asked]:
        """The questions that took longer than SLOW seconds."""
        return [each for each in self.asked if each.seconds > SLOW]

    def _ask_on(self, client: int) -> None:
        # Certificates of this test's own; a kept connection to each machine.
        machines = [
            httpx.Client(
                base_url=f"https://{address(machine)}:8443", headers={"X-API-Key": self.key}, verify=False,  # noqa: S501
                timeout=_PATIENCE, trust_env=False,
            )
            for machine in self.machines
        ]  # fmt: skip
        first = client % len(machines)
        while not self._over.is_set():
            asked, first = self._ask(machines, first)
            self.asked.append(asked)
            time.sleep(_PAUSE)
        for machine in machines:
            machine.close()

    def _ask(self, machines: list[httpx.Client], first: int) -> tuple[Asked, int]:
        """Return what became of one question, and the machine that answered it."""
        x = next(self._numbers) % 2_000_000 / 1e5
        started = time.monotonic()
        failures: list[str] = []
        for attempt in range(_ATTEMPTS):
            chosen = (first + attempt) % len(machines)
            try:
                answer = machines[chosen].post("/predict", json={"values": [x]})
                if answer.status_code == httpx.codes.OK:
                    body = answer.json()
                    seconds = time.monotonic() - started
                    value, version = body["predictions"][0], body["model_version"]
                    return Asked(seconds, body["id"], x, value, version, tuple(failures), started), chosen
                failures.append(f"{machines[chosen].base_url.host} {answer.status_code}")
            except httpx.TransportError as error:
                failures.append(f"{machines[chosen].base_url.host} {type(error).__name__}")
        return Asked(time.monotonic() - started, "", x, 0.0, 0, tuple(failures), started), first
