"""After each fault: every answered prediction is logged exactly once, and nobody had to help.

CHAOS_SECONDS=600 goes on with faults at random, up to three at a time, for so long (make chaos).
"""

from __future__ import annotations

import statistics
import time

import pytest

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.ledger import Ledger, check, drained
from tests.chaos.load import Load, Outcome
from tests.chaos.system import System
from tests.stack.waiting import wait_until

FAULT_SECONDS = 3.0
RECOVERY_SECONDS = 90.0
IN_A_ROW = 25  # answers, until the system counts as recovered


def well(system: System, load: Load, since: float) -> bool:
    """Return whether all is well again."""
    healthy = system.api.get("/health").json()["status"] == "healthy"
    return healthy and load.answered_in_a_row(since) >= IN_A_ROW


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_loses_nothing_and_heals_by_itself(
    system: System, load: Load, ledger: Ledger, fault: Fault
) -> None:
    """Answered means logged once; failures stay within the budget; the api is not restarted for it."""
    wait_until(lambda: well(system, load, 0), RECOVERY_SECONDS, "a healthy start")
    before = system.starts("api")

    began = time.monotonic()
    with fault.inject(system, FAULT_SECONDS):
        ended = time.monotonic()
    wait_until(lambda: well(system, load, ended), RECOVERY_SECONDS, "recovery")
    outcomes = load.since(began)
    drained(system)
    entry = ledger.add(fault, outcomes, ended, time.monotonic() - ended)

    check(system, outcomes)
    assert (system.starts("api") != before) == fault.api_restarts
    failed = [outcome for outcome in outcomes if not outcome.answered]
    assert fault.failures is None or entry.failed <= fault.failures * entry.requests, failed[:5]
    if fault.stores_away:
        assert_refused_at_once(failed)


def assert_refused_at_once(failed: list[Outcome]) -> None:
    """Assert that clients were told: 503 problem+json, in less than a second."""
    assert failed
    assert {(outcome.status, outcome.problem) for outcome in failed} == {(503, True)}, failed[:5]
    assert statistics.median(outcome.seconds for outcome in failed) < 1
