"""Writes docs/chaos.md from the log of faults at random: python -m tests.harness.chaos.report [LOG].

A run is told by its seed: its section is written anew, the sections of other runs stay.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from tests.harness.chaos.record import LOG, Round, read
from tests.harness.repository_root import ROOT

PAGE = ROOT / "docs" / "chaos.md"
_INTRODUCTION = """\
# Faults at random

`make chaos CHAOS_FAULTS=1000 CHAOS_SEED=17` lets up to three faults begin at once, each at another part of
the prediction path, while eight clients send requests. Then it waits until the api is healthy and compares
every answer with the table `predictions`. Every 50 rounds all answers since the last time are compared once
more. A run that was ended goes on with the same command and seed; `build/chaos.jsonl` is its log, and
`python -m tests.harness.chaos.report` writes this page from it.

*Failed* are requests without a 200. They may fail only while no client can be answered (no api, no nginx, or
both stores away), and not later than 5 seconds after nginx and the api say that they are well; every other
one has *failed unexpectedly*, and the run counts as failed. *Lost*: answered, but not in the table.
*Doubled*: in the table more than once. *Different*: not in the table as it was answered. *Recovery*: from the
end of the faults until the api says that it is healthy and 25 requests in a row are answered.

Two more clients send true values of answered predictions (`POST /feedback`) again and again until they are
acknowledged, and correct some. The same counts of them and the table `feedback`; they may fail while
PostgreSQL is away, too, and for 8 seconds after.
"""
_COUNTED = {
    "unexpected": "failed unexpectedly",
    "lost": "lost",
    "doubled": "doubled",
    "different": "different",
}
_TRUTHS = {
    "truths_unexpected": "true values failed unexpectedly",
    "truths_lost": "true values lost",
    "truths_doubled": "true values doubled",
    "truths_different": "true values different",
}


def sections(page: str) -> dict[str, str]:
    """Return the sections of a page by their headings."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.strip() + "\n" for part in parts if part.startswith("## ")}


def render(seed: str, rounds: list[Round]) -> str:
    """Return the section of one run."""
    recoveries = [each.recovery for each in rounds]
    kinds = Counter(fault for each in rounds for fault in each.faults)
    minutes = sum(each.seconds for each in rounds) / 60
    facts = {
        "date": _distinct(each.date for each in rounds),
        "commit": _distinct(each.commit for each in rounds),
        "machine": _distinct(each.machine for each in rounds),
        "faults": f"{kinds.total():,} in {len(rounds):,} rounds ({minutes:.0f} minutes)",
        "requests": f"{sum(each.requests for each in rounds):,}",
        "failed": f"{sum(each.failed for each in rounds):,}",
        **{name: f"**{sum(getattr(each, what) for each in rounds):,}**" for what, name in _COUNTED.items()},
        **_of_truths(rounds),
        "recovery": f"median {statistics.median(recoveries):.1f} s, longest {max(recoveries):.1f} s",
    }
    table = ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in facts.items())]
    by_kind = [f"| {name} | {times} |" for name, times in sorted(kinds.items())]
    return "\n".join([f"## Seed {seed}", "", *table, "", "| fault | times |", "| --- | --: |", *by_kind, ""])


def _of_truths(rounds: list[Round]) -> dict[str, str]:
    """Return the lines about true values; none of a run before they were sent."""
    sent = sum(each.truths for each in rounds)
    if not sent:
        return {}
    sums = {name: f"**{sum(getattr(each, what) for each in rounds):,}**" for what, name in _TRUTHS.items()}
    failed = sum(each.truths_failed for each in rounds)
    return {"true values": f"{sent:,}", "true values failed": f"{failed:,}", **sums}


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def update(page: str, rounds: list[Round]) -> str:
    """Return the page with a section for each seed in the log."""
    found = sections(page)
    by_seed = sorted(rounds, key=lambda each: (each.seed, each.number))
    for seed, of_seed in groupby(by_seed, key=lambda each: each.seed):
        found[f"## Seed {seed}"] = render(seed, list(of_seed))
    return "\n".join([_INTRODUCTION, *found.values()])


def main(arguments: list[str]) -> int:
    """Write the page; return the exit code."""
    log = Path(arguments[0]) if arguments else LOG
    rounds = read(log)
    if not rounds:
        print(f"{log} holds no round: run make chaos first", file=sys.stderr)
        return 1
    PAGE.write_text(update(PAGE.read_text("utf-8") if PAGE.exists() else "", rounds), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
