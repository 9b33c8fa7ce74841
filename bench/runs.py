"""One measurement: a contender under a load."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec

from bench.load import Seen

CROWD, MANY, ONE = 256, 64, 1  # connections


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a contender did under a load."""

    seen: Seen
    cpu_seconds: float  # of the contender's processes

    @property
    def per_second(self) -> float:
        """Requests answered with 200 in a second."""
        return self.seen.ok / self.seen.seconds


RATE_HEADINGS = ("requests/s", "p50 / p99 ms", "CPU s / 1000")


def rate_cells(runs: Sequence[Measured]) -> tuple[str, str, str]:
    """Return the medians of the runs, as cells below RATE_HEADINGS."""
    p50, p99 = (median(getattr(run.seen, name) for run in runs) * 1e3 for name in ("p50", "p99"))
    return (
        f"{median(run.per_second for run in runs):,.0f}",
        f"{p50:.2f} / {p99:.2f}",
        f"{median(1000 * run.cpu_seconds / run.seen.ok for run in runs):.3f}",
    )


def median_ratio(runs: Sequence[Measured], others: Sequence[Measured]) -> float:
    """Return the median of the runs' rates by those of the others, round by round."""
    return median(ours.per_second / theirs.per_second for ours, theirs in zip(runs, others, strict=True))


class Run(msgspec.Struct, frozen=True):
    """One measurement."""

    round: int
    contender: str
    load: str
    connections: int
    seen: Seen
    cpu_seconds: float  # of the contender's processes
    load_cpu_seconds: float  # of the load generator
    stores_cpu_seconds: float  # of PostgreSQL and the contender's Redis
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
