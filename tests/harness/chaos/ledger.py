"""Checks the promise: every answered prediction is in the table exactly once, as it was answered."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field

from tests.harness.chaos.recorded_load import Outcome
from tests.harness.chaos.system import QUEUE, REJECTED, System
from tests.harness.stack.waiting import wait_until

# nginx asks the DNS for the api's address every 2 s; the api tries to connect to a lost store twice a second.
GRACE_SECONDS = 5.0
_ROWS = """
SELECT jsonb_build_array(id, input_data -> 0 -> 0, prediction, model_version)
  FROM predictions WHERE id = ANY('{{{ids}}}')
"""


@dataclass(frozen=True)
class Findings:
    """What the table says about answers; all of it is empty where the promise holds."""

    lost: list[str]
    doubled: list[str]
    different: list[tuple[str, object, object]]  # id, what is in the table, what was answered

    def assert_nothing(self, system: System) -> None:
        """Fail with the ids that are missing, doubled or different, and if rows were set aside."""
        assert not self.lost, f"{len(self.lost)} answered ids are lost: {_where(system, self.lost)}"
        assert not self.doubled, f"{len(self.doubled)} ids are there more than once: {self.doubled[:10]}"
        assert not self.different, f"{len(self.different)} rows are not as answered: {self.different[:3]}"
        assert system.redis("XLEN", REJECTED) == "0", "rows were set aside"


def examine(system: System, outcomes: list[Outcome]) -> Findings:
    """Compare answers with the table; the queue must be empty by now."""
    answered = {str(o.body["id"]): o for o in outcomes if o.answered}
    rows = [json.loads(line) for line in system.sql(_ROWS.format(ids=",".join(answered)))]
    times = Counter(str(row[0]) for row in rows)
    logged = {str(row[0]): row[1:] for row in rows}
    return Findings(
        lost=[id_ for id_ in answered if id_ not in times],
        doubled=[id_ for id_, n in times.items() if n > 1],
        different=[
            (id_, logged[id_], o.body)
            for id_, o in answered.items()
            if id_ in logged and logged[id_] != [o.x, o.body["predictions"], o.body["model_version"]]
        ],
    )


def check(system: System, outcomes: list[Outcome]) -> None:
    """Fail unless every answer is in the table once and as it was answered."""
    examine(system, outcomes).assert_nothing(system)


def unexpected(outcomes: list[Outcome], recovered: float, outage: bool) -> list[Outcome]:
    """Return the requests that had to be answered, or that were refused in another form than promised.

    `recovered` is when all parts said that they are well (time.monotonic()); `outage` is as of a Fault.
    """
    deadline = recovered + GRACE_SECONDS if outage else 0.0
    return [
        outcome
        for outcome in outcomes
        if not outcome.answered
        and (
            outcome.sent > deadline
            or outcome.status not in {0, 503}
            or outcome.problem != bool(outcome.status)
        )
    ]


def check_failures(outcomes: list[Outcome], recovered: float, outage: bool) -> None:
    """Fail if there is an unexpected failure among the outcomes."""
    failed = unexpected(outcomes, recovered, outage)
    assert not failed, f"{len(failed)} of {len(outcomes)} requests had to be answered: {failed[:5]}"


def drained(system: System, seconds: float = 120) -> None:
    """Return when no row waits in the queue."""
    wait_until(lambda: system.redis("XLEN", QUEUE) == "0", seconds, "the queue to drain")


def _where(system: System, ids: list[str]) -> str:
    """Return for each id where it was found, if anywhere."""
    queue = system.redis("XRANGE", QUEUE, "-", "+") + system.redis("XRANGE", REJECTED, "-", "+")
    return ", ".join(f"{id_} ({'in Redis' if id_ in queue else 'nowhere'})" for id_ in ids[:10])


@dataclass(frozen=True)
class Entry:
    """The effect of a fault on the clients. Times are in seconds."""

    fault: str
    requests: int
    failed: int
    median: float
    slowest: float
    recovery: float  # from the fault's end to the last failure
    drain: float  # from the fault's end to an empty queue

    def line(self) -> str:
        """Return the entry as a line of the table."""
        times = (
            f"{self.median * 1000:7.0f} ms {self.slowest:7.2f} s {self.recovery:7.1f} s {self.drain:7.1f} s"
        )
        return f"{self.fault:60} {self.requests:8} {self.failed:7} {times}"


HEADLINE = (
    f"{'fault':60} {'requests':>8} {'failed':>7} {'median':>10} {'slowest':>9} {'recovery':>9} {'drain':>9}"
)


@dataclass
class Ledger:
    """One entry for each fault."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, fault: str, outcomes: list[Outcome], ended: float, drain: float) -> Entry:
        """Add the outcomes of the requests from the beginning of the fault until recovery."""
        failures = [outcome for outcome in outcomes if not outcome.answered]
        answered = [outcome.seconds for outcome in outcomes if outcome.answered]
        entry = Entry(
            fault=fault,
            requests=len(outcomes),
            failed=len(failures),
            median=statistics.median(answered),
            slowest=max(answered),
            recovery=max([0.0, *(outcome.done - ended for outcome in failures)]),
            drain=drain,
        )
        self.entries.append(entry)
        return entry
