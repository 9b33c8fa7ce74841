"""Checks the promise about true values: every acknowledged one is in the table `feedback` exactly once."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.harness.chaos.ledger import Findings
from tests.harness.chaos.system import System
from tests.harness.chaos.truths import Telling

# A connection that is seldom used tries to connect again after 5 s at most, and has a second for it.
GRACE_SECONDS = 8.0
_ALL_ROWS = "SELECT jsonb_build_array(id, revision, actual -> 0) FROM feedback ORDER BY id, revision"
_ROWS = _ALL_ROWS.replace("ORDER", "WHERE id = ANY('{{{ids}}}') ORDER")
Rows = dict[str, list[tuple[int, float]]]


def examine_truths(system: System, outcomes: Iterable[Telling]) -> Findings:
    """Compare acknowledged values with the table."""
    acknowledged = [each for each in outcomes if each.acknowledged]
    return compare(
        acknowledged, _read(system, _ROWS.format(ids=",".join({each.id for each in acknowledged})))
    )


def examine_all_truths(system: System, outcomes: Iterable[Telling]) -> Findings:
    """Compare them with the whole table, which has no other values than those that were sent."""
    sent = list(outcomes)
    rows = _read(system, _ALL_ROWS)
    found = compare([each for each in sent if each.acknowledged], rows)
    known = {(each.id, each.actual) for each in sent}
    foreign = [(id_, row, None) for id_, of_id in rows.items() for row in of_id if (id_, row[1]) not in known]
    return Findings(found.lost, found.doubled, [*found.different, *foreign])


def compare(acknowledged: Iterable[Telling], rows: Rows) -> Findings:
    """Return what is missing, there twice, or not in the order and with the revision that was told."""
    told: dict[str, list[Telling]] = defaultdict(list)
    for each in acknowledged:
        told[each.id].append(each)
    found = Findings([], [], [])
    for id_, of_id in told.items():
        kept = rows.get(id_, [])
        values = list(dict.fromkeys(each.actual for each in of_id))
        times = Counter(actual for _, actual in kept)
        found.lost.extend(f"{id_}={actual}" for actual in values if not times[actual])
        found.doubled.extend(f"{id_}={actual}" for actual, n in times.items() if n > 1)
        in_order = [actual for _, actual in kept if actual in values]
        numbered = [revision for revision, _ in kept] == list(range(1, len(kept) + 1))
        as_told = all(_is_as_told(each, kept) for each in of_id)
        if not (numbered and as_told and in_order == [actual for actual in values if times[actual]]):
            found.different.append((id_, kept, of_id))
    return found


def _is_as_told(told: Telling, kept: list[tuple[int, float]]) -> bool:
    """Return whether the first value is revision 1, and a correction a later one."""
    is_first = (1, told.actual) in kept
    return {"accepted": is_first, "corrected": not is_first}.get(told.state, told.state == "repeated")


def unexpected_truths(outcomes: Iterable[Telling], recovered: float, away: bool) -> list[Telling]:
    """Return the attempts that had to succeed, or that were refused in another form than promised.

    `away`: PostgreSQL, without which none can be accepted, had a fault, or no client could be answered.
    """
    deadline = recovered + GRACE_SECONDS if away else 0.0
    return [
        each
        for each in outcomes
        if not each.acknowledged
        and (each.sent > deadline or each.status not in {0, 503} or each.in_form != bool(each.status))
    ]


def _read(system: System, statement: str) -> Rows:
    rows: Rows = defaultdict(list)
    for line in system.sql(statement):
        id_, revision, actual = json.loads(line)
        rows[id_].append((revision, float(actual)))
    return rows
