"""From runs to one line for each contender and load: medians, extremes, and ratios."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from bench.contenders import BOOK, ECHO, MISS, PLAIN
from bench.runs import CROWD, MANY, ONE, Run

Cell = tuple[str, str]  # contender, load


class Spread(NamedTuple):
    """Median and extremes over the rounds."""

    middle: float
    low: float
    high: float


class Line(NamedTuple):
    """The result of one contender under one load; times in seconds."""

    cell: Cell
    per_second: Spread
    of_echo: Spread
    crowd_of_echo: Spread | None  # with the most connections, if it was measured with them
    times_plain: float
    times_textbook: float | None
    latency: dict[int, tuple[float, float]]  # connections -> p50, p99
    cpu_per_thousand: tuple[
        float, float, float
    ]  # of the contender's processes, the load generator, the stores
    core_busy: float  # share of the measured time that the contender's processes were running
    hit_share: float | None


class Ratios(NamedTuple):
    """One contender's figures divided by another's, run by run."""

    per_second: Spread
    cpu_per_thousand: Spread
    p50: Spread  # at one connection


def ratios(runs: list[Run], contender: str, other: str) -> dict[str, Ratios]:
    """Return what `contender` measures in relation to `other`, by load."""
    loads = dict.fromkeys(run.load for run in runs if run.contender == other)
    return {load: _ratios(runs, (contender, load), (other, load)) for load in loads}


def _ratios(runs: list[Run], cell: Cell, other: Cell) -> Ratios:
    def divided(figures: Callable[[Cell], list[float]]) -> Spread:
        pairs = zip(figures(cell), figures(other), strict=True)
        return _spread([one / another for one, another in pairs])

    return Ratios(
        per_second=divided(lambda each: [run.per_second for run in _select(runs, each, MANY)]),
        cpu_per_thousand=divided(
            lambda each: [run.cpu_seconds / run.seen.ok for run in _select(runs, each, MANY)]
        ),
        p50=divided(lambda each: [run.seen.p50 for run in _select(runs, each, ONE)]),
    )


def summarize(runs: list[Run]) -> dict[Cell, Line]:
    """Return the lines in the order in which they were measured."""
    cells = dict.fromkeys((run.contender, run.load) for run in runs)
    relative = {cell: _spread(_of_echo(runs, cell, MANY)) for cell in cells}
    return {cell: _line(runs, cell, relative) for cell in cells}


def _line(runs: list[Run], cell: Cell, relative: dict[Cell, Spread]) -> Line:
    many = _select(runs, cell, MANY)
    answered = sum(run.seen.ok for run in many)
    hits = [run.hits for run in many if run.hits is not None]
    crowd = _of_echo(runs, cell, CROWD)
    textbook = relative.get((BOOK, cell[1])) if cell[0] not in {ECHO, PLAIN} else None
    return Line(
        cell=cell,
        per_second=_spread([run.per_second for run in many]),
        of_echo=relative[cell],
        crowd_of_echo=_spread(crowd) if crowd else None,
        times_plain=relative[cell].middle / relative[PLAIN, MISS].middle,
        times_textbook=relative[cell].middle / textbook.middle if textbook else None,
        latency={connections: _latency(runs, cell, connections) for connections in (MANY, ONE)},
        cpu_per_thousand=_cpu_per_thousand(many),
        core_busy=median(run.cpu_seconds / run.seen.seconds for run in many),
        hit_share=sum(hits) / answered if hits else None,
    )


def _cpu_per_thousand(runs: list[Run]) -> tuple[float, float, float]:
    used = [(run.cpu_seconds, run.load_cpu_seconds, run.stores_cpu_seconds) for run in runs]
    shares = [
        [1000 * seconds / run.seen.ok for seconds in each] for run, each in zip(runs, used, strict=True)
    ]
    own, load, stores = (median(column) for column in zip(*shares, strict=True))
    return own, load, stores


def _of_echo(runs: list[Run], cell: Cell, connections: int) -> list[float]:
    """Return each run's rate divided by the mean of the reference's runs just before and just after it."""
    ratios = []
    for index, run in enumerate(runs):
        if (run.contender, run.load) == cell and run.connections == connections:
            before = _nearest_echo(runs[:index][::-1], run) if cell[0] != ECHO else run.per_second
            after = _nearest_echo(runs[index + 1 :], run) if cell[0] != ECHO else run.per_second
            ratios.append(run.per_second / ((before + after) / 2))
    return ratios


def _nearest_echo(runs: list[Run], run: Run) -> float:
    return next(
        other.per_second
        for other in runs
        if other.contender == ECHO and other.connections == run.connections and other.round == run.round
    )


def _latency(runs: list[Run], cell: Cell, connections: int) -> tuple[float, float]:
    chosen = _select(runs, cell, connections)
    return median(run.seen.p50 for run in chosen), median(run.seen.p99 for run in chosen)


def _select(runs: list[Run], cell: Cell, connections: int) -> list[Run]:
    return [run for run in runs if (run.contender, run.load) == cell and run.connections == connections]


def _spread(values: list[float]) -> Spread:
    return Spread(median(values), min(values), max(values))
