"""Waits for recovery, as clients and the service itself see it."""

from __future__ import annotations

from functools import partial

from tests.harness.chaos.recorded_load import Load
from tests.harness.chaos.system import System
from tests.harness.stack.waiting import wait_until

_SECONDS = 120.0
_IN_A_ROW = 25  # answers, until the system counts as recovered


def await_recovery(system: System, load: Load, since: float) -> None:
    """Return when the api is healthy and requests sent after `since` are answered, without intervention."""
    wait_until(partial(_is_well, system, load, since), _SECONDS, "recovery")


def _is_well(system: System, load: Load, since: float) -> bool:
    healthy = system.api.get("/health").json()["status"] == "healthy"
    return healthy and load.answered_in_a_row(since) >= _IN_A_ROW
