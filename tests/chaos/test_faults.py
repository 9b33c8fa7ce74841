"""After each fault: every answered prediction is logged exactly once, and recovery is automatic."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.harness.chaos.faults import FAULTS, Fault
from tests.harness.chaos.ledger import Ledger, check, drained
from tests.harness.chaos.recorded_load import Load, Outcome
from tests.harness.chaos.recovery import await_recovery
from tests.harness.chaos.system import System

FAULT_SECONDS = 3.0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_loses_nothing_and_heals_by_itself(
    system: System, load: Load, ledger: Ledger, fault: Fault
) -> None:
    """Answered means logged once; failures stay within the budget; the api is not restarted for it."""
    await_recovery(system, load, 0)
    before = system.starts("api")

    began = time.monotonic()
    with fault.inject(system, FAULT_SECONDS):
        ended = time.monotonic()
    await_recovery(system, load, ended)
    outcomes = load.since(began)
    drained(system)
    entry = ledger.add(fault.name, outcomes, ended, time.monotonic() - ended)

    check(system, outcomes)
    assert (system.starts("api") != before) == fault.api_restarts
    failed = [outcome for outcome in outcomes if not outcome.answered]
    assert fault.failures is None or entry.failed <= fault.failures * entry.requests, failed[:5]
    if fault.stores_down:
        assert_refused_at_once(failed)


def assert_refused_at_once(failed: list[Outcome]) -> None:
    """Assert that clients were told: 503 problem+json, in less than a second."""
    assert failed
    assert {(outcome.status, outcome.problem) for outcome in failed} == {(503, True)}, failed[:5]
    assert statistics.median(outcome.seconds for outcome in failed) < 1
