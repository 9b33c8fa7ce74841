"""The drift measures are what their sources say: computed by hand, and compared with exact p-values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2, ks_2samp

from mlstack.drift.statistics import (
    Reference,
    bin_counts,
    column_drift,
    extrapolated_share,
    population_stability_index,
    psi_limit,
)


def test_psi_is_the_sum_computed_by_hand() -> None:
    expected, actual = np.array([50.0, 30.0, 20.0]), np.array([40.0, 30.0, 30.0])

    psi = population_stability_index(expected, actual)

    by_hand = (0.4 - 0.5) * math.log(0.4 / 0.5) + 0.0 + (0.3 - 0.2) * math.log(0.3 / 0.2)
    assert psi == pytest.approx(by_hand)
    assert psi == pytest.approx(0.0628609)


def test_psi_counts_an_empty_bin_as_half_a_row() -> None:
    psi = population_stability_index(np.array([50.0, 50.0]), np.array([100.0, 0.0]))

    by_hand = (1 - 0.5) * math.log(1 / 0.5) + (0.005 - 0.5) * math.log(0.005 / 0.5)
    assert psi == pytest.approx(by_hand)


def test_bins_of_the_reference_hold_equally_many_rows() -> None:
    reference = Reference.of("x", np.random.default_rng(1).permutation(1000).astype(float))

    counts = bin_counts(reference.edges, reference.ordered)

    assert len(counts) == 10
    assert counts.sum() == 1000
    assert counts.min() >= 99


def test_a_constant_reference_has_bins_too() -> None:
    reference = Reference.of("x", np.full(50, 3.0))

    same = column_drift(reference, np.full(300, 3.0), columns=1)
    moved = column_drift(reference, np.full(300, 4.0), columns=1)

    assert (same.psi, same.ks, same.drifted) == (0.0, 0.0, False)
    assert (moved.ks, moved.drifted) == (1.0, True)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ([1, 2, 3, 4], [3, 4, 5, 6], 0.5),  # at 2: half of the first, none of the second
        ([1, 1, 2, 3], [1, 2, 2, 2], 0.25),  # equal values step together
        ([5], [1, 2, 3, 4], 1.0),
        ([1, 2, 3], [3, 2, 1], 0.0),
    ],
)
def test_ks_is_the_largest_distance_between_the_distribution_functions(
    first: list[float], second: list[float], distance: float
) -> None:
    found = column_drift(Reference.of("x", np.array(first, float)), np.array(second, float), columns=1)

    assert found.ks == pytest.approx(distance)


@pytest.mark.parametrize(("n", "m"), [(80, 200), (800, 2000), (100, 10_000)])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3])
def test_ks_p_value_is_close_to_the_exact_one(n: int, m: int, shift: float) -> None:
    random = np.random.default_rng(n * m)
    first, second = random.normal(size=n), random.normal(shift, size=m)
    exact = ks_2samp(first, second, method="exact")

    found = column_drift(Reference.of("x", first), second, columns=1)

    assert found.ks == pytest.approx(exact.statistic)
    assert found.ks_p_value == pytest.approx(exact.pvalue, abs=0.02)


@pytest.mark.parametrize(("n", "m", "limit"), [(100, 200, chi2.ppf(0.99, 9) * 0.015), (10_000, 10_000, 0.2)])
def test_few_rows_raise_the_limit(n: int, m: int, limit: float) -> None:
    assert psi_limit(10, n, m) == pytest.approx(limit)


def test_samples_of_one_distribution_rarely_count_as_drifted() -> None:
    random = np.random.default_rng(667)

    alarms = [
        column_drift(Reference.of("x", random.normal(size=80)), random.normal(size=200), columns=1).drifted
        for _ in range(500)
    ]

    assert sum(alarms) <= 10  # each measure alone errs once in a hundred


@pytest.mark.parametrize(
    "sample",
    [
        np.random.default_rng(1).normal(1.0, 1.0, 400),
        np.random.default_rng(2).normal(0.0, 3.0, 400),
        np.full(400, 0.1),
    ],
    ids=["shifted", "wider", "always the same"],
)
def test_another_distribution_has_drifted(sample: np.ndarray) -> None:
    reference = Reference.of("x", np.random.default_rng(0).normal(size=500))

    assert column_drift(reference, sample, columns=2).drifted


def test_extrapolated_is_a_row_with_any_feature_outside() -> None:
    low, high = np.array([0.0, -1.0]), np.array([10.0, 1.0])
    rows = np.array([[0.0, -1.0], [10.0, 1.0], [5.0, 1.1], [-0.1, 9.0]])

    assert extrapolated_share(low, high, rows) == 0.5
