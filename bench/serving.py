"""The rounds: every contender under every load, one after the other, with the reference in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from bench.contenders import (
    ALL,
    EARLIER,
    ECHO,
    FRONT,
    HOT_SHARE,
    MISS,
    OURS,
    Contender,
    running_contenders,
)
from bench.load import Seen, put_load, warm
from bench.stores import ROOT, Stores, cache_hits, count_rows, flush, running_stores, truncate

MANY, ONE = 64, 1


@dataclass(frozen=True)
class Plan:
    """How long to measure: `seconds` of load in each run."""

    rounds: int
    rounds_alone: int  # with one connection
    seconds: float
    seconds_alone: float


FULL = Plan(rounds=5, rounds_alone=3, seconds=3.0, seconds_alone=1.5)
QUICK = Plan(rounds=1, rounds_alone=1, seconds=1.5, seconds_alone=0.5)


class Run(msgspec.Struct, frozen=True):
    """One measurement."""

    round: int
    contender: str
    load: str
    connections: int
    seen: Seen
    cpu_seconds: float  # of the contender's processes
    rows: int | None  # in the log; None if the contender has none
    hits: int | None  # of the cache; None if the contender has none

    @property
    def per_second(self) -> float:
        """Requests answered with 200 in a second."""
        return self.seen.ok / self.seen.seconds

    @property
    def fault(self) -> str | None:
        """What makes the run invalid, if anything does."""
        seen = self.seen
        if seen.refused or seen.broken or seen.unanswered:
            return f"{seen.refused} requests refused, {seen.broken} broken, {seen.unanswered} unanswered"
        if self.rows is not None and self.rows != seen.ok:
            return f"{self.rows} rows logged, {seen.ok} requests answered with 200"
        return None


def measure(plan: Plan, progress: Callable[[str], None], earlier: Path | None = None) -> list[Run]:
    """Start everything, measure all rounds, stop everything; return the runs in their order.

    `earlier` is a folder with the files of an earlier commit, whose api is measured too.
    """
    progress("starting the stores")
    names = ALL if earlier is None else {*ALL, EARLIER}
    with (
        running_stores() as stores,
        running_contenders(stores, progress, names, earlier or ROOT) as contenders,
    ):
        meter = _Meter(stores, progress)
        for contender in contenders:
            put_load(contender.port, MANY, 0.0, 1.0, seed=0)
        for number in range(plan.rounds):
            _prepare_caches(contenders)
            meter.compare(number, contenders, MANY, plan.seconds)
            if number < plan.rounds_alone:
                meter.compare(number, contenders, ONE, plan.seconds_alone)
    return meter.runs


def _prepare_caches(contenders: list[Contender]) -> None:
    """Empty every cache, then fill it with the hot set."""
    for contender in contenders:
        if contender.redis is not None:
            flush(contender.redis)
    for contender in contenders:
        if contender.redis is not None and contender.name != FRONT:  # which shares the cache of OURS
            warm(contender.port)


def _turns(contenders: list[Contender]) -> list[list[Contender]]:
    """Return who is measured together under each load: alone, but for OURS and EARLIER.

    Their order is a, b, b, a: a change of the machine's speed in that time affects both alike.
    """
    named = {contender.name: contender for contender in contenders}
    alone = [[contender] for contender in contenders if contender.name not in {ECHO, EARLIER}]
    if EARLIER in named:
        first, second = named[OURS], named[EARLIER]
        alone[alone.index([first])] = [first, second, second, first]
    return alone


class _Meter:
    def __init__(self, stores: Stores, progress: Callable[[str], None]) -> None:
        self._stores, self._progress = stores, progress
        self._seeds = count(random.SystemRandom().randrange(1 << 30))
        self.runs: list[Run] = []

    def compare(self, number: int, contenders: list[Contender], connections: int, seconds: float) -> None:
        """Measure each contender between two runs of the reference: the speed of a shared machine varies."""
        reference = next(contender for contender in contenders if contender.name == ECHO)
        for turns in _turns(contenders):
            self._run(number, reference, MISS, connections, seconds)
            for load in turns[0].loads:
                for contender in turns:
                    self._run(number, contender, load, connections, seconds)
        self._run(number, reference, MISS, connections, seconds)

    def _run(self, number: int, contender: Contender, load: str, connections: int, seconds: float) -> None:
        if contender.database is not None:
            truncate(self._stores.postgres, contender.database)
        hits = cache_hits(contender.redis) if contender.redis else 0
        cpu = contender.cpu_seconds()
        seen = put_load(contender.port, connections, HOT_SHARE[load], seconds, next(self._seeds))
        cpu = contender.cpu_seconds() - cpu
        run = Run(
            number + 1, contender.name, load, connections, seen, cpu,
            rows=count_rows(self._stores.postgres, contender.database) if contender.database else None,
            hits=cache_hits(contender.redis) - hits if contender.redis else None,
        )  # fmt: skip
        self.runs.append(run)
        logged = "" if run.rows is None else f", {run.rows} rows logged"
        self._progress(
            f"round {run.round}  {connections:>2} connections  {contender.name:<{len(EARLIER)}}  {load:<9}"
            f" {run.per_second:>8.0f}/s  p50 {seen.p50 * 1e3:.2f} ms{logged}  {run.fault or ''}".rstrip()
        )
