"""Up to three services at once, each with a fault drawn at random, over and over.

CHAOS_SECONDS=600 goes on for that long (make chaos); CHAOS_SEED=… draws the same faults again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from tests.harness.chaos.faults import cut_off, killed, paused, stopped
from tests.harness.chaos.ledger import Ledger, check, drained
from tests.harness.chaos.recorded_load import Load
from tests.harness.chaos.recovery import await_recovery
from tests.harness.chaos.system import SERVICES, System

SECONDS = float(os.environ.get("CHAOS_SECONDS", "15"))
SEED = os.environ.get("CHAOS_SEED") or str(time.time_ns())
NETWORKS = {"redis": ("stores",), "postgres": ("stores",), "api": ("stores", "ml-network")}
Injection = Callable[[], AbstractContextManager[None]]
KINDS = {"killed": killed, "frozen": paused, "stopped": stopped}


def draw(numbers: random.Random, system: System) -> dict[str, Injection]:
    """Return faults by name, each for another service and ready to be injected."""
    drawn: dict[str, Injection] = {}
    for service in numbers.sample(SERVICES, numbers.randint(1, 3)):
        kinds = [*KINDS, *(["cut off"] if service in NETWORKS else [])]
        kind, seconds = numbers.choice(kinds), numbers.uniform(0, 2)
        networks = NETWORKS.get(service, ())
        inject = partial(cut_off, service, *networks) if kind == "cut off" else partial(KINDS[kind], service)
        drawn[f"{service} {kind}"] = partial(inject, system=system, seconds=seconds)
    return drawn


def test_faults_at_random_lose_nothing(system: System, load: Load, ledger: Ledger) -> None:
    """One after the other begins; they end in reverse; then every answer is in the log once."""
    print(f"CHAOS_SEED={SEED}")
    numbers = random.Random(SEED)  # noqa: S311
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        await_recovery(system, load, 0)
        faults = draw(numbers, system)
        began = time.monotonic()
        with ExitStack() as stack:
            for inject in faults.values():
                stack.enter_context(inject())
        ended = time.monotonic()
        await_recovery(system, load, ended)
        outcomes = load.since(began)
        drained(system)
        ledger.add(", ".join(faults), outcomes, ended, time.monotonic() - ended)

        check(system, outcomes)
