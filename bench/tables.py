"""The tables of docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable

from bench.contenders import BOOK, DURABLE, EARLIER, ECHO, FRONT, HIT, HOT, MISS, OURS, PLAIN
from bench.serving import MANY, ONE
from bench.summary import Cell, Line, Ratios, Spread
from bench.targets import Target, table

_NAMES = {
    ECHO: "L: bare uvicorn, echo",
    PLAIN: "FastAPI + scikit-learn, no cache, no log",
    BOOK: "textbook version",
    OURS: "**our api**",
    EARLIER: "our api at the earlier commit",
    FRONT: "**our api through nginx**",
    DURABLE: "**our api**, Redis fsync always (as shipped)",
}


def throughput_table(lines: dict[Cell, Line]) -> str:
    """Return the table of 64 connections."""
    headings = ("contender", "load", "requests/s", "of L", "× plain", "× textbook", "p50 / p99 ms",
                "CPU s / 1000", "core busy")  # fmt: skip
    return table(headings, [_throughput_row(line) for line in lines.values()])


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


def targets(lines: dict[Cell, Line]) -> list[Target]:
    """Return the figures of the api with their targets."""
    miss, hot, hit = (lines[OURS, load] for load in (MISS, HOT, HIT))
    nginx = lines[FRONT, MISS].of_echo.middle / miss.of_echo.middle
    job = "full job, 64 connections, "
    return [
        Target(job + "all miss, of L", miss.of_echo.middle, 0.45, 1.0),
        Target(job + "90 % hits, of L", hot.of_echo.middle, 0.5, 1.0),
        Target("all miss, against FastAPI + scikit-learn, no cache, no log", miss.times_plain, 4, 10, "×"),
        Target("all miss, against the textbook version", miss.times_textbook or 0.0, 20, 50, "×"),
        Target("p50 at one connection, hit", hit.latency[ONE][0] * 1e3, 0.8, 0.4, "ms", at_most=True),
        Target("p50 at one connection, miss", miss.latency[ONE][0] * 1e3, 1.0, 0.4, "ms", at_most=True),
        Target("through nginx, against direct, all miss", nginx, 0.6, 0.8),
    ]  # fmt: skip


def _throughput_row(line: Line) -> tuple[str, ...]:
    name, load = line.cell
    return (
        _NAMES[name],
        load if line.hit_share is not None else "–",
        _spread(line.per_second, lambda value: f"{value:,.0f}"),
        _spread(line.of_echo, lambda value: f"{value:.3f}") if name != ECHO else "1",
        f"{line.times_plain:.2f}",
        f"{line.times_textbook:.1f}" if line.times_textbook else "–",
        _milliseconds(line, MANY),
        f"{line.cpu_per_thousand:.3f}",
        f"{line.core_busy:.0%}",
    )


def _spread(spread: Spread, show: Callable[[float], str]) -> str:
    return f"{show(spread.middle)} ({show(spread.low)}–{show(spread.high)})"


def _milliseconds(line: Line, connections: int) -> str:
    p50, p99 = line.latency[connections]
    return f"{p50 * 1e3:.2f} / {p99 * 1e3:.2f}"
