"""Two versions compared on the same requests: differences, errors, and whether chance would do the same."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import permutation_test

from mlstack.challenger.comparison import compare
from mlstack.challenger.live_error import LEAST_TRUTHS, Judged, why_worse
from mlstack.challenger.pairs import Pair
from mlstack.challenger.permutation import greater_p_value, paired_p_value
from mlstack.challenger.text import describe


def number(answered: float, scored: float, actual: Any = None) -> Pair:
    """One request of one row."""
    return Pair([answered], [scored], None, None, None if actual is None else [actual])


def label(answered: float, scored: float, actual: Any) -> Pair:
    """One request of one row, answered with the probability of the class `b`."""
    first, second = ([{"a": 1 - p, "b": p}] for p in (answered, scored))
    names: list[Any] = ["b" if p > 0.5 else "a" for p in (answered, scored)]
    return Pair([names[0]], [names[1]], first, second, None if actual is None else [actual])


def pairs_of(errors: float, other_errors: float, requests: int = 60) -> list[Pair]:
    """Return requests whose answers miss the truth by so much, as standard deviations."""
    random = np.random.default_rng(1)
    return [
        number(truth + errors * random.normal(), truth + other_errors * random.normal(), truth)
        for truth in random.uniform(0, 20, requests)
    ]


def test_the_paired_test_is_the_exact_one_for_few_pairs() -> None:
    """Every change of signs of eight differences, against 4,999 at random."""
    differences = np.array([0.5, 1.2, -0.3, 2.0, 0.7, 0.1, 1.1, -0.2])
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=len(differences))]
    exact = np.mean([each >= abs(differences.sum()) - 1e-9 for each in sums])

    assert paired_p_value(differences) == pytest.approx(exact, abs=0.01)


def test_the_unpaired_test_agrees_with_scipy() -> None:
    random = np.random.default_rng(2)
    tried, other = random.exponential(1.3, 60), random.exponential(1.0, 200)

    def difference(one: Any, two: Any, axis: int) -> Any:
        return np.mean(one, axis=axis) - np.mean(two, axis=axis)

    theirs = permutation_test(
        (tried, other), difference, n_resamples=4999, alternative="greater", vectorized=True, random_state=1
    )

    assert greater_p_value(tried, other) == pytest.approx(theirs.pvalue, abs=0.015)


def test_equal_versions_differ_significantly_in_one_case_of_twenty() -> None:
    """The p-values of 300 comparisons of versions that are equally good are uniform."""
    random = np.random.default_rng(3)

    found = [paired_p_value(random.normal(size=25)) for _ in range(300)]

    assert 0.02 < np.mean([p < 0.05 for p in found]) < 0.085
    assert 0.42 < np.mean(found) < 0.58


def test_numbers_are_compared_by_difference_and_rmse() -> None:
    found = compare(3, 2, [number(10, 11, 10), number(20, 23, 20), number(5, 5)])

    assert (found.requests, found.rows) == (3, 3)
    assert [found.mean_difference, found.max_difference] == pytest.approx([4 / 3, 3])
    assert found.truths is not None
    assert (found.truths.requests, found.truths.measure) == (2, "rmse")
    assert [found.truths.current, found.truths.challenger] == pytest.approx([0, math.sqrt(5)])


def test_classes_are_compared_by_label_and_log_loss() -> None:
    found = compare(3, 2, [label(0.9, 0.6, "b"), label(0.9, 0.2, "b"), label(0.1, 0.1, None)])

    assert found.differing_share == pytest.approx(1 / 3)
    assert found.mean_difference is None
    assert found.truths is not None
    assert found.truths.measure == "log_loss"
    assert found.truths.current == pytest.approx(-math.log(0.9))
    assert found.truths.challenger == pytest.approx(-(math.log(0.6) + math.log(0.2)) / 2)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], "Version 3 has not been scored yet on a request that version 2 answered."),
        ([number(1, 2)], "Nothing says yet which version is better: no true values are known"),
        (
            pairs_of(1, 0.3, 10),
            "errs less than version 2 so far, but 10 requests with true values are too few",
        ),
        (pairs_of(1, 0.3), "Version 3 errs less than version 2, and not by chance"),
        (pairs_of(0.3, 1), "Version 3 errs more than version 2, and not by chance"),
        (pairs_of(1, 1), "but it may be chance: equally good versions would differ as much"),
    ],
)
def test_the_conclusion_says_it_in_plain_words(pairs: list[Pair], expected: str) -> None:
    found = compare(3, 2, pairs)

    assert expected in found.conclusion
    assert describe(found).endswith(found.conclusion)


def test_a_true_value_that_a_version_cannot_predict_is_left_out() -> None:
    """A class for a number, a class that one of them does not know, a row without truth."""
    numbers = compare(3, 2, [number(1, 2, "b"), Pair([1, 2], [3, 4], None, None, [None, 2])])
    classes = compare(3, 2, [label(0.9, 0.6, "c"), label(0.9, 0.6, "b")])

    assert numbers.truths is not None
    assert classes.truths is not None
    assert (numbers.truths.rows, classes.truths.rows) == (1, 1)


def test_errors_beyond_a_number_have_no_p_value() -> None:
    found = compare(3, 2, [number(1e200, 1, 1)])

    assert found.truths is not None
    assert found.truths.p_value is None


def judged(version: int, error: float, requests: int) -> list[Judged]:
    random = np.random.default_rng(version)
    return [Judged(version, [error * random.normal()], None, [0.0]) for _ in range(requests)]


@pytest.mark.parametrize(
    ("error", "requests", "worse"),
    [(3.0, 60, True), (1.0, 60, False), (0.2, 60, False), (3.0, LEAST_TRUTHS - 1, False)],
)
def test_a_canary_is_worse_if_its_error_is_higher_by_more_than_chance(
    error: float, requests: int, worse: bool
) -> None:
    reason = why_worse(3, 2, judged(3, error, requests) + judged(2, 1.0, 300))

    assert (reason is not None) == worse
