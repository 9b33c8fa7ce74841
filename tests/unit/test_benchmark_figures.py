"""The benchmark's verdicts and ratios: what its tables say follows from the runs."""

from __future__ import annotations

import pytest

from bench.contenders import EARLIER, ECHO, MISS, OURS
from bench.load import Seen
from bench.runs import MANY, ONE, Run
from bench.summary import Ratios, Spread, ratios
from bench.targets import Target, target_table


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [
        (0.39, False, "**not reached**"),
        (0.4, False, "reached"),
        (0.8, False, "ambitious target reached"),
        (0.81, True, "**not reached**"),
        (0.8, True, "reached"),
        (0.4, True, "ambitious target reached"),
    ],
)
def test_a_limit_itself_is_reached(value: float, at_most: bool, verdict: str) -> None:
    limits = (0.8, 0.4) if at_most else (0.4, 0.8)

    row = Target("something", value, *limits, "ms", at_most).row()

    assert row[-1] == verdict
    assert row[1] == ("≤ 0.8 ms" if at_most else "≥ 0.4 ms")


def test_without_a_target_there_is_no_verdict() -> None:
    assert target_table([Target("size", 5.0, None, 1.3, at_most=True)]).splitlines()[-1] == (
        "| size | – | ≤ 1.3 | 5.00 | – |"
    )


def _run(contender: str, connections: int, answered: int, cpu: float, p50: float = 0.0) -> Run:
    seen = Seen(answered, 0, 0, 0, seconds=2.0, p50=p50, p99=1.0)
    return Run(1, contender, MISS, connections, seen, cpu, 0.0, 0.0, None, None)


def test_ratios_are_those_of_runs_side_by_side() -> None:
    runs = [
        _run(ECHO, MANY, 9999, 1.0),
        _run(OURS, MANY, 1000, 2.0),
        _run(EARLIER, MANY, 2000, 2.0),
        _run(EARLIER, MANY, 64, 0.25),
        _run(OURS, MANY, 96, 0.75),
        _run(OURS, ONE, 10, 1.0, p50=0.5),
        _run(EARLIER, ONE, 10, 1.0, p50=0.25),
    ]

    assert ratios(runs, OURS, EARLIER) == {
        MISS: Ratios(
            per_second=Spread(1.0, 0.5, 1.5),
            cpu_per_thousand=Spread(2.0, 2.0, 2.0),
            p50=Spread(2.0, 2.0, 2.0),
        )
    }
