"""Up to three services at once, each with a fault drawn at random, over and over.

CHAOS_SECONDS=600 goes on for that long, CHAOS_FAULTS=1000 until there were that many faults (make chaos).
CHAOS_SEED=… draws the same faults again; with CHAOS_FAULTS a run that was ended goes on after the last round
that build/chaos.jsonl has of this seed.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from tests.harness.chaos.draws import Draw, draw
from tests.harness.chaos.ledger import Findings, Ledger, drained, examine, unexpected
from tests.harness.chaos.record import Round, append, circumstances, read
from tests.harness.chaos.recorded_load import Load, Outcome
from tests.harness.chaos.recovery import await_parts, await_recovery
from tests.harness.chaos.system import System

SECONDS = float(os.environ.get("CHAOS_SECONDS") or 15)
FAULTS = int(os.environ.get("CHAOS_FAULTS") or 0)
SEED = os.environ.get("CHAOS_SEED") or str(time.time_ns())
ROUNDS_TO_CHECK_AGAIN = 50


@pytest.mark.timeout(0 if FAULTS else SECONDS + 600)
def test_faults_at_random_lose_nothing(
    system: System, load: Load, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other begins; they end in reverse; then every answer is in the log once."""
    done = [each for each in read() if each.seed == SEED] if FAULTS else []
    faults, number = sum(len(each.faults) for each in done), len(done)
    failed = [each for each in done if each.unexpected]
    acknowledged: list[str] = []
    deadline = time.monotonic() + SECONDS
    await_recovery(system, load, 0)
    load.take()
    while faults < FAULTS if FAULTS else time.monotonic() < deadline:
        number += 1
        entry, outcomes = run_round(system, load, ledger, number)
        faults += len(entry.faults)
        failed += [entry] if entry.unexpected else []
        acknowledged += [str(outcome.body["id"]) for outcome in outcomes if outcome.answered]
        with capsys.disabled():
            print(f"\nseed {SEED}, {entry.line(faults, FAULTS)}", end="", flush=True)
        if number % ROUNDS_TO_CHECK_AGAIN == 0:
            check_again(system, load, acknowledged)
    check_again(system, load, acknowledged)

    assert not failed, failed


def run_round(system: System, load: Load, ledger: Ledger, number: int) -> tuple[Round, list[Outcome]]:
    """Draw faults, let them happen, wait until all is well, note what happened, and check it."""
    drawn, began = draw(SEED, number), time.monotonic()
    with drawn.inject(system):
        pass
    ended = time.monotonic()
    well = await_parts(system)
    await_recovery(system, load, ended)
    recovered = time.monotonic()
    drained(system)
    outcomes = load.take()
    findings = examine(system, outcomes)
    failed = unexpected(outcomes, well, drawn.outage)
    entry = note(drawn, number, outcomes, failed, findings, times=(began, ended, recovered))
    ledger.add(", ".join(drawn.names), outcomes, ended, time.monotonic() - ended)

    findings.assert_nothing(system)
    return entry, outcomes


def note(
    drawn: Draw,
    number: int,
    outcomes: list[Outcome],
    failed: list[Outcome],
    findings: Findings,
    *,
    times: tuple[float, float, float],
) -> Round:
    """Append the round to the log."""
    began, ended, recovered = times
    entry = Round(
        seed=SEED, number=number, faults=drawn.names, **circumstances(),
        seconds=round(time.monotonic() - began, 3), recovery=round(recovered - ended, 3),
        requests=len(outcomes), failed=sum(not each.answered for each in outcomes), unexpected=len(failed),
        lost=len(findings.lost), doubled=len(findings.doubled), different=len(findings.different),
    )  # fmt: skip
    append(entry)
    return entry


def check_again(system: System, load: Load, acknowledged: list[str]) -> None:
    """Compare all answers since the last time with the whole table; then begin with an empty one."""
    with load.held():
        drained(system)
        acknowledged += [str(outcome.body["id"]) for outcome in load.outcomes if outcome.answered]
        logged = Counter(system.sql("SELECT id FROM predictions"))
        lost = [id_ for id_ in acknowledged if id_ not in logged]
        doubled = [id_ for id_, n in logged.items() if n > 1]
        assert not lost, f"{len(lost)} answers that were logged are lost: {lost[:10]}"
        assert not doubled, f"{len(doubled)} answers are logged more than once: {doubled[:10]}"
        load.take()
        system.sql("TRUNCATE predictions")
    acknowledged.clear()
