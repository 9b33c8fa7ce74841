"""Faults at random: what is drawn, what the log keeps, what docs/chaos.md says of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.harness.chaos.draws import draw
from tests.harness.chaos.ledger import GRACE_SECONDS, unexpected
from tests.harness.chaos.record import Round, append, read
from tests.harness.chaos.recorded_load import Outcome
from tests.harness.chaos.report import render, update


def a_round(number: int = 1, seed: str = "17", **changes: object) -> Round:
    entry = Round(
        seed=seed, number=number, date="2026-01-01", machine="2 cores", commit="abc", faults=["redis killed"],
        seconds=4.0, requests=1000, failed=0, unexpected=0, lost=0, doubled=0, different=0, recovery=1.5,
    )  # fmt: skip
    return msgspec.structs.replace(entry, **changes)


def failure(sent: float, status: int = 503, problem: bool = True) -> Outcome:
    return Outcome(sent, sent + 0.1, status, problem, 1.0, {})


def test_a_seed_and_a_round_always_give_the_same_faults() -> None:
    drawn = [[(fault.name, s) for fault, s in draw("17", number).faults] for number in range(50)]

    assert drawn == [[(fault.name, s) for fault, s in draw("17", number).faults] for number in range(50)]
    assert drawn != [[(fault.name, s) for fault, s in draw("18", number).faults] for number in range(50)]


def test_every_kind_of_fault_is_drawn() -> None:
    names = {name for number in range(500) for name in draw("17", number).names}

    assert {"nginx cut off", "api cut off from nginx", "the api's clock jumps back"} < names
    assert len(names) == 20


def test_requests_may_fail_only_without_both_stores_the_api_or_nginx() -> None:
    for drawn in (draw("17", number) for number in range(500)):
        services = {name.removeprefix("the ").split()[0].removesuffix("'s") for name in drawn.names}
        clock_only = not any(name.startswith("api ") for name in drawn.names)
        without = services - {"api"} if clock_only else services

        assert drawn.outage == bool({"api", "nginx"} & without or {"postgres", "redis"} <= without)


@pytest.mark.parametrize(
    ("outcome", "outage", "found"),
    [
        (failure(9.0), True, False),
        (failure(9.0), False, True),
        (failure(10.0 + GRACE_SECONDS + 0.1), True, True),
        (failure(9.0, status=0, problem=False), True, False),
        (failure(9.0, status=500), True, True),
        (failure(9.0, problem=False), True, True),
        (failure(9.0, status=200, problem=False), False, False),
    ],
)
def test_a_failure_is_expected_during_an_outage_and_in_the_promised_form(
    outcome: Outcome, outage: bool, found: bool
) -> None:
    assert bool(unexpected([outcome], 10.0, outage)) == found


def test_a_line_that_was_cut_short_is_left_out_and_spoils_no_other(tmp_path: Path) -> None:
    log = tmp_path / "chaos.jsonl"
    append(a_round(1), log)
    log.write_bytes(log.read_bytes() + b'\n{"seed": "17", "num')

    append(a_round(2), log)

    assert [entry.number for entry in read(log)] == [1, 2]


def test_a_run_is_told_by_its_sums_and_by_kind() -> None:
    rounds = [a_round(1, failed=3), a_round(2, faults=["redis killed", "nginx cut off"], recovery=9.0)]

    section = render("17", rounds)

    assert "| faults | 3 in 2 rounds (0 minutes) |" in section
    assert "| requests | 2,000 |" in section
    assert "| failed | 3 |" in section
    assert "| lost | **0** |" in section
    assert "| recovery | median 5.2 s, longest 9.0 s |" in section
    assert "| redis killed | 2 |" in section


def test_a_run_replaces_its_own_section_only() -> None:
    page = update("", [a_round(seed="17"), a_round(seed="18")])

    again = update(page, [a_round(seed="17", requests=5)])

    assert again.count("## Seed") == 2
    assert "| requests | 5 |" in again
    assert "| requests | 1,000 |" in again
