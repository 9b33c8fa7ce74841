"""Writes docs/fuzzing.md: what a stack answered to random requests, by route and status."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.harness.chaos.record import circumstances
from tests.harness.fuzzing.client import CLOSED, SILENT, Statuses
from tests.harness.repository_root import ROOT

PAGE = ROOT / "docs" / "fuzzing.md"
_INTRODUCTION = """\
# Fuzzed requests

`FUZZ_SEED=17 FUZZ_PAGE=1 scripts/develop/fuzz.sh` sends 100,000 random requests through the
front door of a running stack (with the profiles `async` and `extended`: without the drift monitor
`/page/drift` is 503), half to each port, and writes this page: known
paths and near misses, any method, odd headers, random bodies in every allowed framing
(`tests/harness/fuzzing/requests.py`). Every status of 500 and more counts as a failure, 503 as well, and so
does a request without an answer for 20 s. *Closed*: nginx ends the connection without an answer.
"""
_NAMES = {CLOSED: "closed", SILENT: "silent"}


def render(runs: dict[str, Statuses], seed: str, failed: int) -> str:
    """Return the page; `runs` are the counts of each server."""
    facts = circumstances()
    total = sum(statuses.total() for statuses in runs.values())
    facts |= {"seed": seed, "requests": f"{total:,}", "failed": f"**{failed}**"}
    lines = ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in facts.items())]
    tables = [f"\n## {server}\n\n{_table(statuses)}" for server, statuses in runs.items()]
    return "\n".join([_INTRODUCTION, *lines, *tables]) + "\n"


def _table(statuses: Statuses) -> str:
    by_route: Counter[tuple[str, int]] = Counter()
    for (path, _, status), count in statuses.items():
        by_route[path, status] += count
        by_route["all", status] += count
    columns = sorted({status for _, status in by_route})
    routes = [*sorted({route for route, _ in by_route} - {"all"}), "all"]
    head = "| route | " + " | ".join(str(_NAMES.get(status, status)) for status in columns) + " |"
    rule = "| --- |" + " --: |" * len(columns)
    rows = [
        f"| {route} | " + " | ".join(_shown(by_route[route, status]) for status in columns) + " |"
        for route in routes
    ]
    return "\n".join([head, rule, *rows])


def write(page: str, path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page, encoding="utf-8")


def _shown(count: int) -> str:
    return f"{count:,}" if count else ""
