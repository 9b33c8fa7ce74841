"""The rounds: every contender under every load, one after the other, with the reference in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.contenders import (
    ALL,
    EARLIER,
    ECHO,
    EVERYSEC,
    FRONT,
    HOT_SHARE,
    MISS,
    OURS,
    Contender,
    running_contenders,
)
from bench.limits import Limits, measure_limits
from bench.load import put_load, warm
from bench.machine import cpu_seconds, cpu_seconds_of_ended_children
from bench.runs import CROWD, MANY, ONE, Run
from bench.stores import ROOT, Stores, cache_hits, count_rows, flush, running_stores, truncate

_WITH_A_CROWD = {ECHO, OURS, EVERYSEC}


@dataclass(frozen=True)
class Plan:
    """How long to measure: `seconds` of load in each run."""

    rounds: int
    rounds_alone: int  # with one connection
    seconds: float
    seconds_alone: float


FULL = Plan(rounds=5, rounds_alone=3, seconds=3.0, seconds_alone=1.5)
QUICK = Plan(rounds=1, rounds_alone=1, seconds=1.5, seconds_alone=0.5)


def measure(
    plan: Plan, progress: Callable[[str], None], earlier: Path | None = None
) -> tuple[list[Run], list[Limits]]:
    """Start everything, measure all rounds, stop everything; return the runs in their order, and the limits.

    `earlier` is a folder with the files of an earlier commit, whose api is measured too.
    """
    progress("starting the stores")
    names = ALL if earlier is None else {*ALL, EARLIER}
    with (
        running_stores() as stores,
        running_contenders(stores, progress, names, earlier or ROOT) as contenders,
    ):
        meter, limits = _Meter(stores, progress), []
        for contender in contenders:
            put_load(contender.port, MANY, 0.0, 1.0, seed=0)
        for number in range(plan.rounds):
            _prepare_caches(contenders)
            meter.compare(number, contenders, MANY, plan.seconds)
            if number < plan.rounds_alone:
                crowd = [each for each in contenders if each.name in _WITH_A_CROWD]
                meter.compare(number, crowd, CROWD, plan.seconds)
                limits.append(measure_limits(stores))
                meter.compare(number, contenders, ONE, plan.seconds_alone)
    return meter.runs, limits


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
        before = self._cpu_seconds(contender)
        seen = put_load(contender.port, connections, HOT_SHARE[load], seconds, next(self._seeds))
        own, load_generator, stores = (
            now - then for now, then in zip(self._cpu_seconds(contender), before, strict=True)
        )
        run = Run(
            number + 1, contender.name, load, connections, seen, own, load_generator, stores,
            rows=count_rows(self._stores.postgres, contender.database) if contender.database else None,
            hits=cache_hits(contender.redis) - hits if contender.redis else None,
        )  # fmt: skip
        self.runs.append(run)
        logged = "" if run.rows is None else f", {run.rows} rows logged"
        self._progress(
            f"round {run.round}  {connections:>3} connections  {contender.name:<{len(EARLIER)}}  {load:<9}"
            f" {run.per_second:>8.0f}/s  p50 {seen.p50 * 1e3:.2f} ms{logged}  {run.fault or ''}".rstrip()
        )

    def _cpu_seconds(self, contender: Contender) -> tuple[float, float, float]:
        """Return what the contender, the load generator and the stores have used until now."""
        redis = contender.redis
        stores = [self._stores.postgres, *([redis] if redis else [])] if contender.database else []
        pids = [server.process.pid for server in stores if server.process is not None]
        return cpu_seconds(contender.pids()), cpu_seconds_of_ended_children(), cpu_seconds(pids)
