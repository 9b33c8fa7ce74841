"""Two replicas, each on a core, beside one: what a request costs each in CPU time, which counts the load out.

Where cores are few, the second replica shares its core with the load generator and the stores, so throughput
says nothing about it. CPU time per request does: two that do not hinder each other need no more of it.
The connections are shared between the two, so their batches are smaller. What that costs shows one replica
with half of the connections.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import msgspec

from bench.contenders import OURS, SECOND, Contender, running_contenders
from bench.load import Seen, put_load
from bench.machine import cpu_seconds
from bench.runs import MANY
from bench.stores import count_rows, running_stores, truncate
from bench.targets import Target, table, target_table


class ReplicasRun(msgspec.Struct, frozen=True):
    """CPU seconds of each replica for a thousand requests: of one by itself, and of two at once."""

    alone: float
    half: float  # by itself, with half of the connections
    both: tuple[float, float]

    @property
    def times_one(self) -> float:
        """How many times the requests of one replica two can answer, each with a core of its own."""
        return sum(self.alone / cpu for cpu in self.both)


def measure(rounds: int, seconds: float, progress: Callable[[str], None]) -> list[ReplicasRun]:
    """Measure one replica, then both at once; raise RuntimeError if a row is missing."""
    found = []
    with running_stores() as stores, running_contenders(stores, progress, {OURS, SECOND}) as replicas:
        for _ in range(rounds):
            ((_, alone),) = _cpu_per_thousand(replicas[:1], MANY, seconds)
            ((_, half),) = _cpu_per_thousand(replicas[:1], MANY // 2, seconds)
            truncate(stores.postgres, str(replicas[0].database))
            first, second = _cpu_per_thousand(replicas, MANY // 2, seconds)
            found.append(ReplicasRun(alone, half, (first[1], second[1])))
            rows = count_rows(stores.postgres, str(replicas[0].database))
            if rows != first[0].ok + second[0].ok:
                raise RuntimeError(f"{rows} rows logged, {first[0].ok + second[0].ok} requests answered")
            progress(f"two replicas: {found[-1].times_one:.2f} times one")
    return found


def describe(runs: list[ReplicasRun]) -> str:
    """Return the tables."""
    times = median(run.times_one for run in runs)
    target = Target("two replicas, each on a core, load counted out, all miss", times, 1.7, None, "×")
    rows = [
        (*(f"{cpu:.3f}" for cpu in (run.alone, run.half, *run.both)), f"{run.times_one:.2f}") for run in runs
    ]
    headings = (
        f"CPU s / 1000: one replica alone, {MANY} connections", f"alone, {MANY // 2} connections",
        f"first of two, {MANY // 2} connections", "second of two", "× one",
    )  # fmt: skip
    return f"{target_table([target])}\n\n{table(headings, rows)}"


def _cpu_per_thousand(
    replicas: list[Contender], connections: int, seconds: float
) -> list[tuple[Seen, float]]:
    """Put the load on each replica, on all at once; return what was seen and the CPU seconds per thousand."""
    before = [cpu_seconds(replica.pids()) for replica in replicas]
    with ThreadPoolExecutor(len(replicas)) as pool:
        seeds = [random.SystemRandom().randrange(1 << 30) for _ in replicas]
        seen = list(
            pool.map(
                lambda each: put_load(each[0].port, connections, 0.0, seconds, each[1]),
                zip(replicas, seeds, strict=True),
            )
        )
    used = [cpu_seconds(replica.pids()) - then for replica, then in zip(replicas, before, strict=True)]
    return [(each, 1000 * cpu / each.ok) for each, cpu in zip(seen, used, strict=True)]
