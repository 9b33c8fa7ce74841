"""Checks the promise: every answered prediction is in the table exactly once, as it was answered."""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.harness.chaos.recorded_load import Outcome
from tests.harness.chaos.system import QUEUE, REJECTED, System
from tests.harness.stack.waiting import wait_until

_ROWS = """
SELECT jsonb_build_array(id, input_data -> 0 -> 0, prediction, model_version)
  FROM predictions WHERE "timestamp" > now() - interval '{seconds} seconds'
"""


def check(system: System, outcomes: list[Outcome]) -> None:
    """Fail with the ids that are missing, duplicated or different; the queue must be empty."""
    rows = _logged(system, time.monotonic() - min(outcome.sent for outcome in outcomes))
    times = Counter(str(row[0]) for row in rows)
    logged = {str(row[0]): row[1:] for row in rows}
    answered = {str(o.body["id"]): o for o in outcomes if o.answered}
    lost = [id_ for id_ in answered if id_ not in times]
    doubled = [id_ for id_, n in times.items() if n > 1]
    assert not lost, f"{len(lost)} of {len(answered)} answered ids are lost: {_where(system, lost)}"
    assert not doubled, f"{len(doubled)} ids are in the table more than once: {doubled[:10]}"
    different = [
        (id_, logged[id_], o.body)
        for id_, o in answered.items()
        if logged[id_] != [o.x, o.body["predictions"], o.body["model_version"]]
    ]
    assert not different, f"{len(different)} rows are not what was answered: {different[:3]}"
    assert system.redis("XLEN", REJECTED) == "0", "rows were set aside"


def drained(system: System, seconds: float = 120) -> None:
    """Return when no row waits in the queue."""
    wait_until(lambda: system.redis("XLEN", QUEUE) == "0", seconds, "the queue to drain")


def _logged(system: System, seconds: float) -> list[list[object]]:
    lines = system.sql(_ROWS.format(seconds=int(seconds) + 60))
    return [json.loads(line) for line in lines]


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
        share = 100 * self.failed / max(1, self.requests)
        times = (
            f"{self.median * 1000:7.0f} ms {self.slowest:7.2f} s {self.recovery:7.1f} s {self.drain:7.1f} s"
        )
        return f"{self.fault:44} {self.requests:8} {self.failed:7} {share:6.1f} % {times}"


HEADLINE = (
    f"{'fault':44} {'requests':>8} {'failed':>7} {'share':>8} {'median':>10} {'slowest':>9} "
    f"{'recovery':>9} {'drain':>9}"
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
