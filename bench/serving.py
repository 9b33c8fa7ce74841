"""The rounds: every contender under every load, one after the other, the yardstick in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import msgspec

from bench.contenders import DURABLE, ECHO, FRONT, HOT_SHARE, MISS, Contender, running_contenders
from bench.cpu import cpu_seconds
from bench.load import Seen, put_load, warm
from bench.stores import Stores, cache_hits, count_rows, running_stores, truncate

MANY, ONE = 64, 1


@dataclass(frozen=True)
class Plan:
    """How long to measure; seconds are of load."""

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
    rows: int | None  # logged, where a log is kept
    hits: int | None  # found in the cache, where one is asked

    @property
    def per_second(self) -> float:
        """Requests answered with 200 in a second."""
        return self.seen.ok / self.seen.seconds

    @property
    def fault(self) -> str | None:
        """Say what is wrong with the run, if anything is."""
        seen = self.seen
        if seen.refused or seen.broken or seen.unanswered:
            return f"{seen.refused} requests refused, {seen.broken} broken, {seen.unanswered} unanswered"
        if self.rows is not None and self.rows != seen.ok:
            return f"{self.rows} rows logged, {seen.ok} requests answered with 200"
        return None


def measure(plan: Plan, progress: Callable[[str], None]) -> list[Run]:
    """Start everything, measure all rounds, stop everything; return the runs in their order."""
    progress("starting the stores")
    with running_stores() as stores, running_contenders(stores, progress) as contenders:
        meter = _Meter(stores, progress)
        for contender in contenders:
            put_load(contender.port, MANY, 0.0, 1.0, seed=0)
        for number in range(plan.rounds):
            stores.flush()
            for contender in contenders:
                if contender.redis is not None and contender.name != FRONT:  # it shares the api's cache
                    warm(contender.port)
            meter.compare(number, contenders, MANY, plan.seconds)
            if number < plan.rounds_alone:
                meter.compare(number, contenders, ONE, plan.seconds_alone)
    return meter.runs


class _Meter:
    def __init__(self, stores: Stores, progress: Callable[[str], None]) -> None:
        self._stores, self._progress = stores, progress
        self._seeds = count(random.SystemRandom().randrange(1 << 30))
        self.runs: list[Run] = []

    def compare(self, number: int, contenders: list[Contender], connections: int, seconds: float) -> None:
        """Measure each contender between two runs of the yardstick, for the machine's speed wanders."""
        yardstick = next(contender for contender in contenders if contender.name == ECHO)
        for contender in contenders:
            if contender is not yardstick:
                self._run(number, yardstick, MISS, connections, seconds)
                for load in contender.loads:
                    self._run(number, contender, load, connections, seconds)
        self._run(number, yardstick, MISS, connections, seconds)

    def _run(self, number: int, contender: Contender, load: str, connections: int, seconds: float) -> None:
        if contender.database is not None:
            truncate(self._stores.postgres, contender.database)
        hits = cache_hits(contender.redis) if contender.redis else 0
        cpu = cpu_seconds(contender.pids())
        seen = put_load(contender.port, connections, HOT_SHARE[load], seconds, next(self._seeds))
        cpu = cpu_seconds(contender.pids()) - cpu
        run = Run(
            number + 1, contender.name, load, connections, seen, cpu,
            rows=count_rows(self._stores.postgres, contender.database) if contender.database else None,
            hits=cache_hits(contender.redis) - hits if contender.redis else None,
        )  # fmt: skip
        self.runs.append(run)
        logged = "" if run.rows is None else f", {run.rows} rows logged"
        self._progress(
            f"round {run.round}  {connections:>2} connections  {contender.name:<{len(DURABLE)}}  {load:<9}"
            f" {run.per_second:>8.0f}/s  p50 {seen.p50 * 1e3:.2f} ms{logged}  {run.fault or ''}".rstrip()
        )
