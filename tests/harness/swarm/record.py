"""What happened to the stack on the laboratory's machines, a line each in build/swarm.jsonl.

python -m tests.harness.swarm.record writes the table of the page from the log.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime

import msgspec

from bench.machine import hardware
from tests.harness.repository_root import ROOT
from tests.harness.swarm.client import Clients
from tests.harness.swarm.stack import SwarmStack

LOG = ROOT / "build" / "swarm.jsonl"
PAGE = ROOT / "docs" / "scaling.md"
_SLOW = "slower than 0.5 s (slowest)"
_BETWEEN = re.compile(r"(<!-- swarm -->\n).*?(<!-- /swarm -->)", re.DOTALL)
# Each acknowledged row, and how often it is in the table as it was answered.
_COMPARE = """
SELECT count(*) FILTER (WHERE n = 0), count(*) FILTER (WHERE n > 1), count(*) FILTER (WHERE NOT same),
       count(*)
  FROM (SELECT a.id, count(p.id) AS n,
               bool_and(p.id IS NULL OR ((p.prediction ->> 0)::float8, p.model_version)
                                        = (a.value, a.version)) AS same
          FROM acknowledged a LEFT JOIN predictions p USING (id) GROUP BY a.id) compared
"""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Times are in seconds."""

    name: str
    date: str
    commit: str
    machine: str
    answers: int
    failed: int
    slow: int
    slowest: float
    recovery: float  # from the event's end, or the loss, until every service had all its replicas again
    lost: int
    doubled: int
    different: int


def compare(stack: SwarmStack, clients: Clients) -> tuple[int, int, int]:
    """Return how many acknowledged rows are lost, doubled, or not as they were answered."""
    rows = "".join(f"{each.id}\t{each.value!r}\t{each.version}\n" for each in clients.asked if each.id)
    answer = stack.sql(
        "CREATE TEMP TABLE acknowledged (id uuid, value float8, version integer)",
        "COPY acknowledged FROM STDIN",
        _COMPARE,
        stdin=rows,
    )
    lost, doubled, different, n_rows = (int(number) for number in answer.strip().split("|"))
    assert n_rows == len({each.id for each in clients.asked if each.id})
    return lost, doubled, different


def record(name: str, clients: Clients, recovery: float, found: tuple[int, int, int]) -> Event:
    """Append an event to the log and return it."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    event = Event(
        name=name,
        date=datetime.now(UTC).date().isoformat(),
        commit=commit.stdout.strip(),
        machine=hardware(),
        answers=len(clients.asked) - len(clients.failed),
        failed=len(clients.failed),
        slow=len(clients.slow),
        slowest=max((each.seconds for each in clients.asked), default=0.0),
        recovery=recovery,
        lost=found[0],
        doubled=found[1],
        different=found[2],
    )
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        log.write(msgspec.json.encode(event) + b"\n")
    return event


def table(events: list[Event]) -> str:
    """Return the events as a table of Markdown; of each the latest."""
    latest = {event.name: event for event in events}
    lines = [
        f"| event | answers | failed | {_SLOW} | all replicas again after | lost, doubled, different |",
        "| --- | --: | --: | --: | --: | --: |",
        *(
            f"| {each.name} | {each.answers:,} | {each.failed} | {each.slow} ({each.slowest:.1f} s) | "
            f"{each.recovery:.0f} s | {each.lost}, {each.doubled}, {each.different} |"
            for each in latest.values()
        ),
    ]
    last = events[-1]
    commits = ", ".join(dict.fromkeys(each.commit for each in latest.values()))
    return "\n".join([*lines, "", f"{last.machine} Commit {commits}, {last.date}.", ""])


def main() -> int:
    """Write the table; return the exit code."""
    if not LOG.exists():
        print(f"{LOG} is missing: run make swarm-test first", file=sys.stderr)
        return 1
    events = [msgspec.json.decode(line, type=Event) for line in LOG.read_bytes().splitlines()]
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        _BETWEEN.sub(lambda found: f"{found[1]}{table(events)}{found[2]}", page), encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
