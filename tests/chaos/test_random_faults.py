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
from tests.harness.chaos.recovery import await_parts, await_recovery, await_truths
from tests.harness.chaos.system import System
from tests.harness.chaos.truths import Telling
from tests.harness.chaos.truths_ledger import examine_all_truths, examine_truths, unexpected_truths

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
    failed = [each for each in done if each.unexpected or each.truths_unexpected]
    acknowledged: list[str] = []
    told: list[Telling] = []
    deadline = time.monotonic() + SECONDS
    await_recovery(system, load, 0)
    begin_empty(system, load)
    while faults < FAULTS if FAULTS else time.monotonic() < deadline:
        number += 1
        entry, outcomes, truths = run_round(system, load, ledger, number)
        faults += len(entry.faults)
        failed += [entry] if entry.unexpected or entry.truths_unexpected else []
        acknowledged += [str(outcome.body["id"]) for outcome in outcomes if outcome.answered]
        told += truths
        with capsys.disabled():
            print(f"\nseed {SEED}, {entry.line(faults, FAULTS)}", end="", flush=True)
        if number % ROUNDS_TO_CHECK_AGAIN == 0:
            check_again(system, load, acknowledged, told)
    check_again(system, load, acknowledged, told)

    assert not failed, failed


def run_round(
    system: System, load: Load, ledger: Ledger, number: int
) -> tuple[Round, list[Outcome], list[Telling]]:
    """Draw faults, let them happen, wait until all is well, note what happened, and check it."""
    drawn, began = draw(SEED, number), time.monotonic()
    with drawn.inject(system):
        pass
    ended = time.monotonic()
    well = await_parts(system)
    await_recovery(system, load, ended)
    times = began, ended, time.monotonic()
    await_truths(load, ended)
    drained(system)
    outcomes, truths = load.take(), load.truths.take()
    findings, of_truths = examine(system, outcomes), examine_truths(system, truths)
    failed = unexpected(outcomes, well, drawn.outage)
    failed_truths = unexpected_truths(truths, well, drawn.truths_refused)
    of_failures = failed, failed_truths
    entry = note(drawn, number, (outcomes, truths), of_failures, (findings, of_truths), times=times)
    ledger.add(", ".join(drawn.names), outcomes, ended, time.monotonic() - ended)

    findings.assert_nothing(system)
    of_truths.assert_nothing(system)
    return entry, outcomes, truths


def note(
    drawn: Draw,
    number: int,
    outcomes: tuple[list[Outcome], list[Telling]],
    unforeseen: tuple[list[Outcome], list[Telling]],
    findings: tuple[Findings, Findings],
    *,
    times: tuple[float, float, float],
) -> Round:
    """Append the round to the log: of predictions, and of true values."""
    (asked, told), (began, ended, recovered), (of_asked, of_told) = outcomes, times, findings
    about = circumstances()
    entry = Round(
        seed=SEED, number=number, faults=drawn.names,
        seconds=round(time.monotonic() - began, 3), recovery=round(recovered - ended, 3),
        requests=len(asked), failed=sum(not each.answered for each in asked), unexpected=len(unforeseen[0]),
        lost=len(of_asked.lost), doubled=len(of_asked.doubled), different=len(of_asked.different),
        truths=len(told), truths_failed=sum(not each.acknowledged for each in told),
        truths_unexpected=len(unforeseen[1]), truths_lost=len(of_told.lost),
        truths_doubled=len(of_told.doubled), truths_different=len(of_told.different),
        date=about["date"], machine=about["machine"], commit=about["commit"],
    )  # fmt: skip
    append(entry)
    return entry


def check_again(system: System, load: Load, acknowledged: list[str], told: list[Telling]) -> None:
    """Compare all answers since the last time with the whole table; then begin with an empty one."""
    with load.held():
        drained(system)
        acknowledged += [str(outcome.body["id"]) for outcome in load.outcomes if outcome.answered]
        logged = Counter(system.sql("SELECT id FROM predictions"))
        lost = [id_ for id_ in acknowledged if id_ not in logged]
        doubled = [id_ for id_, n in logged.items() if n > 1]
        assert not lost, f"{len(lost)} answers that were logged are lost: {lost[:10]}"
        assert not doubled, f"{len(doubled)} answers are logged more than once: {doubled[:10]}"
        told += load.truths.take()
        examine_all_truths(system, told).assert_nothing(system)
        empty(system, load)
    acknowledged.clear()
    told.clear()


def begin_empty(system: System, load: Load) -> None:
    """Delete what other tests have left, while nothing is asked."""
    with load.held():
        drained(system)
        empty(system, load)


def empty(system: System, load: Load) -> None:
    """Delete all rows, and forget what they belong to."""
    load.take()
    load.truths.take()
    load.truths.forget()
    system.sql("TRUNCATE predictions, feedback")
