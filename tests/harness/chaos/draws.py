"""Faults drawn at random: the same seed and round give the same faults, so that a run can be continued."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.harness.chaos.faults import Fault, of
from tests.harness.chaos.injections import clock_jumped, cut_off, killed, paused, stopped, unreachable
from tests.harness.chaos.system import SERVICES, System

_LONGEST = 2.0  # seconds


def _faults(service: str) -> list[Fault]:
    """Return what can happen to every service."""
    outage = service in {"nginx", "api"}
    return [
        Fault(f"{service} killed", of(killed, service), outage),
        Fault(f"{service} frozen", of(paused, service), outage),
        Fault(f"{service} stopped", of(stopped, service), outage),
    ]


KINDS: dict[str, list[Fault]] = {
    "postgres": [*_faults("postgres"), Fault("postgres cut off", of(cut_off, "postgres", "stores"))],
    "redis": [*_faults("redis"), Fault("redis cut off", of(cut_off, "redis", "stores"))],
    "api": [
        *_faults("api"),
        Fault("api cut off", of(cut_off, "api", "stores", "ml-network"), outage=True),
        Fault("api cut off from nginx", of(cut_off, "api", "ml-network"), outage=True),
        Fault("api cut off from both stores", of(cut_off, "api", "stores"), outage=True),
        Fault("the api's clock jumps ahead", of(clock_jumped, "+1h")),
        Fault("the api's clock jumps back", of(clock_jumped, "-1h")),
    ],
    "nginx": [*_faults("nginx"), Fault("nginx cut off", of(unreachable, "nginx"), outage=True)],
}


@dataclass(frozen=True)
class Draw:
    """Up to three faults at once, each of another service, and how long each lasts by itself."""

    faults: tuple[tuple[Fault, float], ...]

    @property
    def names(self) -> list[str]:
        """The names of the faults."""
        return [fault.name for fault, _ in self.faults]

    @property
    def outage(self) -> bool:
        """As of a Fault; two stores with a fault at once are an outage, too."""
        both_stores = {"postgres", "redis"} <= {name.split()[0] for name in self.names}
        return both_stores or any(fault.outage for fault, _ in self.faults)

    @property
    def truths_refused(self) -> bool:
        """As of a Fault."""
        return self.outage or any(fault.truths_refused for fault, _ in self.faults)

    @contextmanager
    def inject(self, system: System) -> Iterator[None]:
        """Begin one after the other; they end in reverse order."""
        with ExitStack() as stack:
            for fault, seconds in self.faults:
                stack.enter_context(fault.inject(system, seconds))
            yield


def draw(seed: str, number: int) -> Draw:
    """Return the faults of a round."""
    numbers = random.Random(f"{seed}/{number}")  # noqa: S311
    services = numbers.sample(SERVICES, numbers.randint(1, 3))
    return Draw(tuple((numbers.choice(KINDS[each]), numbers.uniform(0, _LONGEST)) for each in services))
