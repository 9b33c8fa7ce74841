"""What was measured of other model servers, and its table."""

from __future__ import annotations

from statistics import median

import msgspec

from bench.load import Seen
from bench.targets import table

FASTAPI, OUR_API = "FastAPI + scikit-learn", "**our api**"


class PeerRun(msgspec.Struct, frozen=True):
    """One round: L just before and just after, many connections, and one."""

    server: str
    settings: str
    version: str
    echo: tuple[float, float]  # requests per second
    many: Seen
    cpu_seconds: float  # of all its processes, with many connections
    one: Seen

    @property
    def of_echo(self) -> float:
        """Its rate divided by the mean of L's."""
        return self.many.ok / self.many.seconds / (sum(self.echo) / 2)


class Missing(msgspec.Struct, frozen=True):
    """A server that could not be measured."""

    server: str
    settings: str
    reason: str


Found = list[PeerRun | Missing]


def describe(found: Found) -> str:
    """Return the table: medians over the rounds."""
    headings = ("server", "settings", "requests/s", "of L", "our api by it", "p50 / p99 ms",
                "p50 ms, one connection", "CPU s / 1000")  # fmt: skip
    runs = [each for each in found if isinstance(each, PeerRun)]
    ours = median(run.of_echo for run in runs if run.server == OUR_API)
    rows = [_row(one, found, ours) for one in dict.fromkeys((each.server, each.settings) for each in found)]
    reasons = [f"Not measured: {one.reason}." for one in found if isinstance(one, Missing)]
    versions = ", ".join(dict.fromkeys(run.version for run in runs if run.version))
    return "\n\n".join((table(headings, rows), f"{versions}.", *dict.fromkeys(reasons)))


def _row(one: tuple[str, str], found: Found, ours: float) -> tuple[str, ...]:
    runs = [each for each in found if isinstance(each, PeerRun) and (each.server, each.settings) == one]
    if not runs:
        return (*one, "not measured", *["–"] * 5)
    of_echo = median(run.of_echo for run in runs)
    p50, p99, alone = (
        1e3 * median(values)
        for values in zip(*((run.many.p50, run.many.p99, run.one.p50) for run in runs), strict=True)
    )
    return (
        *one,
        f"{median(run.many.ok / run.many.seconds for run in runs):,.0f}",
        f"{of_echo:.3f}",
        f"{ours / of_echo:.1f} ×",
        f"{p50:.2f} / {p99:.2f}",
        f"{alone:.2f}",
        f"{median(1000 * run.cpu_seconds / run.many.ok for run in runs):.3f}",
    )
