"""After each fault: every answered prediction is logged exactly once, and recovery is automatic."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.harness.chaos.faults import FAULTS, Fault
from tests.harness.chaos.ledger import Ledger, check, check_failures, drained
from tests.harness.chaos.recorded_load import Load, Outcome
from tests.harness.chaos.recovery import await_parts, await_recovery, await_truths
from tests.harness.chaos.system import System
from tests.harness.chaos.truths_ledger import examine_truths, unexpected_truths

FAULT_SECONDS = 3.0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_loses_nothing_and_heals_by_itself(
    system: System, load: Load, ledger: Ledger, fault: Fault
) -> None:
    """Answered means logged once; a request may fail only while no client can be answered.

    The same of true values, which may fail while PostgreSQL is away, too.
    """
    await_recovery(system, load, 0)
    await_truths(load, 0)
    before = system.starts("api")

    began = time.monotonic()
    with fault.inject(system, FAULT_SECONDS):
        pass
    ended = time.monotonic()
    recovered = await_parts(system)
    await_recovery(system, load, ended)
    await_truths(load, ended)
    outcomes, truths = load.since(began), load.truths.since(began)
    drained(system)
    ledger.add(fault.name, outcomes, ended, time.monotonic() - ended)

    check(system, outcomes)
    examine_truths(system, truths).assert_nothing(system)
    assert not unexpected_truths(truths, recovered, fault.truths_refused)
    check_failures(outcomes, recovered, fault.outage)
    assert (system.starts("api") != before) == fault.api_restarts
    if fault.stores_down:
        assert_refused_at_once([outcome for outcome in outcomes if not outcome.answered])


def assert_refused_at_once(failed: list[Outcome]) -> None:
    """Assert that clients were told: 503 problem+json, in less than a second."""
    assert failed
    assert {(outcome.status, outcome.problem) for outcome in failed} == {(503, True)}, failed[:5]
    assert statistics.median(outcome.seconds for outcome in failed) < 1
