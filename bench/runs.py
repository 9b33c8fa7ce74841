"""One measurement: a contender under a load."""

from __future__ import annotations

import msgspec

from bench.load import Seen

CROWD, MANY, ONE = 256, 64, 1  # connections


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
