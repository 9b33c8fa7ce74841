"""After each fault: every answered prediction is logged exactly once, and recovery is automatic."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.harness.chaos.faults import FAULTS, Fault
from tests.harness.chaos.ledger import Ledger, check, check_failures, drained
from tests.harness.chaos.recorded_load import Load, Outcome
from tests.harness.chaos.recovery import await_parts, await_recovery
from tests.harness.chaos.system import System

FAULT_SECONDS = 3.0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_loses_nothing_and_heals_by_itself(
    system: System, load: Load, ledger: Ledger, fault: Fault
) -> None:
    """Answered means logged once; a request may fail only while no client can be answered."""
    await_recovery(system, load, 0)
    before = system.starts("api")

    began = time.monotonic()
    with fault.inject(system, FAULT_SECONDS):
        pass
    ended = time.monotonic()
    recovered = await_parts(system)
    await_recovery(system, load, ended)
    outcomes = load.since(began)
    drained(system)
    ledger.add(fault.name, outcomes, ended, time.monotonic() - ended)

    check(system, outcomes)
    check_failures(outcomes, recovered, fault.outage)
    assert (system.starts("api") != before) == fault.api_restarts
    if fault.stores_down:
        assert_refused_at_once([outcome for outcome in outcomes if not outcome.answered])


def assert_refused_at_once(failed: list[Outcome]) -> None:
    """Assert that clients were told: 503 problem+json, in less than a second."""
    assert failed
    assert {(outcome.status, outcome.problem) for outcome in failed} == {(503, True)}, failed[:5]
    assert statistics.median(outcome.seconds for outcome in failed) < 1
