"""Waits for recovery, as the services themselves and as clients see it."""

from __future__ import annotations

import time
from functools import partial

import httpx

from tests.harness.chaos.recorded_load import Load
from tests.harness.chaos.system import System
from tests.harness.stack.waiting import wait_until

_SECONDS = 240.0  # enough for the api to start on a machine that does much else
_IN_A_ROW = 25  # answers, until the system counts as recovered


def await_parts(system: System) -> float:
    """Return when nginx runs and the api says that it reaches both stores; each is asked directly."""
    wait_until(partial(_parts_are_well, system), _SECONDS, "nginx and the api to be well", pause=0.1)
    return time.monotonic()


def await_recovery(system: System, load: Load, since: float) -> None:
    """Return when the api is healthy and requests sent after `since` are answered, without intervention."""
    wait_until(partial(_is_well, system, load, since), _SECONDS, "recovery", pause=0.1)


def await_truths(load: Load, since: float) -> None:
    """Return when true values that were sent after `since` are accepted."""
    wait_until(partial(load.truths.is_well, since), _SECONDS, "true values to be accepted", pause=0.1)


def _parts_are_well(system: System) -> bool:
    nginx, *apis = (system.container("nginx"), *system.containers("api"))
    asked = {f"http://{nginx.address}:8080/livez", *(f"http://{api.address}:8000/health" for api in apis)}
    answers = [httpx.get(url, timeout=5, trust_env=False) for url in asked]
    return all(answer.status_code == 200 and '"degraded"' not in answer.text for answer in answers)


def _is_well(system: System, load: Load, since: float) -> bool:
    healthy = system.api.get("/health").json()["status"] == "healthy"
    return healthy and load.answered_in_a_row(since) >= _IN_A_ROW
