"""The tables of docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from bench.contenders import BOOK, EARLIER, ECHO, EVERYSEC, FRONT, HIT, HOT, MISS, OURS, PLAIN
from bench.limits import Limits
from bench.runs import CROWD, MANY, ONE
from bench.summary import Cell, Line, Ratios, Spread
from bench.targets import Target, table

_NAMES = {
    ECHO: "L: bare uvicorn, echo",
    PLAIN: "FastAPI + scikit-learn, no cache, no log",
    BOOK: "textbook version",
    OURS: "**our api**, as shipped",
    EARLIER: "our api at the earlier commit",
    FRONT: "**our api through nginx**",
    EVERYSEC: "our api, Redis fsync everysec",
}


def throughput_table(lines: dict[Cell, Line]) -> str:
    """Return the table of 64 connections, with the ratio to L at 256 beside it."""
    headings = ("contender", "load", "requests/s", "of L", f"of L, {CROWD} connections", "× plain",
                "× textbook", "p50 / p99 ms", "CPU s / 1000: own / load / stores", "core busy")  # fmt: skip
    return table(headings, [_throughput_row(line) for line in lines.values()])


def limits_table(limits: list[Limits]) -> str:
    """Return the table of what the stores can do for one connection."""
    rows = [
        (
            "`INSERT` of one row and its commit, autocommit by psycopg2",
            _limit([each.commit for each in limits]),
        ),
        ("`MGET` of one key by redis-py", _limit([each.mget for each in limits])),
    ]
    return table(("one connection to a store, nothing else", "p50 ms"), rows)


def latency_table(lines: dict[Cell, Line]) -> str:
    """Return the table of one connection: the loads of a contender side by side."""
    rows = [
        (_NAMES[name], *(_milliseconds(lines[name, load], ONE) if (name, load) in lines else "–"
                         for load in (MISS, HOT, HIT)))
        for name in dict.fromkeys(contender for contender, _ in lines)
    ]  # fmt: skip
    return table(("contender", *(f"{load}: p50 / p99 ms" for load in (MISS, HOT, HIT))), rows)


def earlier_table(ratios: dict[str, Ratios]) -> str:
    """Return the table of today's api divided by the earlier one: a load in each row."""
    headings = ("today / earlier", "requests/s, 64 connections", "CPU s / 1000", "p50, one connection")
    rows = [(load, *(_spread(ratio, lambda value: f"{value:.3f}") for ratio in found))
            for load, found in ratios.items()]  # fmt: skip
    return table(headings, rows)


def targets(lines: dict[Cell, Line], limits: list[Limits]) -> list[Target]:
    """Return the figures of the api with their targets."""
    miss, hot, hit = (lines[OURS, load] for load in (MISS, HOT, HIT))
    nginx = lines[FRONT, MISS].of_echo.middle / miss.of_echo.middle
    everysec = miss.of_echo.middle / lines[EVERYSEC, MISS].of_echo.middle
    commit = median(each.commit for each in limits)
    p50, p99 = miss.latency[MANY]
    crowd = [line.crowd_of_echo.middle if line.crowd_of_echo else 0.0 for line in (miss, hot)]
    job = f"full job as shipped, {MANY} connections, "
    bare = "p50 at one connection, of a bare `INSERT` and commit: "
    return [
        Target(job + "all miss, of L", miss.of_echo.middle, 0.55, 1.0),
        Target(job + "90 % hits, of L", hot.of_echo.middle, 0.65, 1.0),
        Target(f"the same with {CROWD} connections, all miss", crowd[0], 0.9, None),
        Target(f"the same with {CROWD} connections, 90 % hits", crowd[1], 1.0, None),
        Target("all miss, as shipped, of Redis with fsync everysec", everysec, 0.95, None),
        Target("all miss, against FastAPI + scikit-learn, no cache, no log", miss.times_plain, 5, 10, "×"),
        Target("all miss, against the textbook version", miss.times_textbook or 0.0, 30, 50, "×"),
        Target(bare + "miss", miss.latency[ONE][0] / commit, 1.5, None, "×", at_most=True),
        Target(bare + "hit", hit.latency[ONE][0] / commit, 1.4, None, "×", at_most=True),
        Target("p99 of p50, all miss", p99 / p50, 2.5, None, "×", at_most=True),
        Target("through nginx, against direct, all miss", nginx, 0.6, 0.8),
    ]


def _throughput_row(line: Line) -> tuple[str, ...]:
    name, load = line.cell
    return (
        _NAMES[name],
        load if line.hit_share is not None else "–",
        _spread(line.per_second, lambda value: f"{value:,.0f}"),
        _spread(line.of_echo, lambda value: f"{value:.3f}") if name != ECHO else "1",
        _spread(line.crowd_of_echo, lambda value: f"{value:.3f}") if line.crowd_of_echo else "–",
        f"{line.times_plain:.2f}",
        f"{line.times_textbook:.1f}" if line.times_textbook else "–",
        _milliseconds(line, MANY),
        " / ".join(f"{seconds:.3f}" for seconds in line.cpu_per_thousand),
        f"{line.core_busy:.0%}",
    )


def _spread(spread: Spread, show: Callable[[float], str]) -> str:
    return f"{show(spread.middle)} ({show(spread.low)}–{show(spread.high)})"


def _milliseconds(line: Line, connections: int) -> str:
    p50, p99 = line.latency[connections]
    return f"{p50 * 1e3:.2f} / {p99 * 1e3:.2f}"


def _limit(seconds: list[float]) -> str:
    return f"{median(seconds) * 1e3:.2f} ({min(seconds) * 1e3:.2f}–{max(seconds) * 1e3:.2f})"
