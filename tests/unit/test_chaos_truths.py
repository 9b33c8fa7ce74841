"""What the chaos tests say about true values: lost, doubled, out of order, refused without a reason."""

from __future__ import annotations

import pytest

from tests.harness.chaos.truths import Telling
from tests.harness.chaos.truths_ledger import GRACE_SECONDS, Rows, compare, unexpected_truths


def told(actual: float, state: str = "accepted", *, sent: float = 9.0, status: int = 200) -> Telling:
    return Telling(sent, sent + 0.1, status, status == 503, "a", actual, state)


TWO = [told(1.0), told(2.0, "corrected")]


@pytest.mark.parametrize(
    ("acknowledged", "rows", "found"),
    [
        (TWO, {"a": [(1, 1.0), (2, 2.0)]}, (0, 0, 0)),
        (TWO, {"a": [(1, 1.0)]}, (1, 0, 0)),
        (TWO, {}, (2, 0, 2)),
        (TWO, {"a": [(1, 1.0), (2, 2.0), (3, 1.0)]}, (0, 1, 1)),
        (TWO, {"a": [(1, 2.0), (2, 1.0)]}, (0, 0, 1)),
        (TWO, {"a": [(1, 1.0), (3, 2.0)]}, (0, 0, 1)),
        ([told(1.0, "repeated")], {"a": [(1, 1.0)]}, (0, 0, 0)),
        ([told(1.0), told(1.0, "repeated")], {"a": [(1, 1.0)]}, (0, 0, 0)),
        ([told(1.0, "")], {"a": [(1, 1.0)]}, (0, 0, 1)),
        (TWO, {"a": [(1, 1.0), (2, 2.0), (3, 7.0)]}, (0, 0, 0)),  # 7 was sent and never acknowledged
    ],
)
def test_acknowledged_values_are_there_once_and_in_their_order(
    acknowledged: list[Telling], rows: Rows, found: tuple[int, int, int]
) -> None:
    findings = compare(acknowledged, rows)

    assert (len(findings.lost), len(findings.doubled)) == found[:2]
    assert bool(findings.different) == bool(found[2])


@pytest.mark.parametrize(
    ("outcome", "away", "found"),
    [
        (told(1.0, status=503), True, False),
        (told(1.0, status=503), False, True),
        (told(1.0, status=503, sent=10.0 + GRACE_SECONDS + 0.1), True, True),
        (told(1.0, status=0), True, False),
        (told(1.0, status=404), True, True),
        (told(1.0), False, False),
    ],
)
def test_only_a_refusal_without_postgresql_and_in_the_promised_form_is_expected(
    outcome: Telling, away: bool, found: bool
) -> None:
    assert bool(unexpected_truths([outcome], 10.0, away)) == found
