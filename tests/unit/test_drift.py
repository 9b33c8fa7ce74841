"""The drift measures are what their sources say: by hand and by scipy."""

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
    ks_p_value,
    ks_statistic,
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


@pytest.mark.parametrize(("n", "m"), [(100, 200), (1000, 300), (37, 5000)])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
def test_ks_statistic_is_scipys(n: int, m: int, shift: float) -> None:
    random = np.random.default_rng(n + m)
    first, second = random.normal(size=n), random.normal(shift, size=m)

    found = ks_statistic(np.sort(first), second)

    assert found == pytest.approx(ks_2samp(first, second).statistic, abs=1e-12)


def test_ks_statistic_is_scipys_with_ties() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 6, 100).astype(float), random.integers(1, 7, 250).astype(float)

    found = ks_statistic(np.sort(first), second)

    assert found == pytest.approx(ks_2samp(first, second).statistic, abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(80, 200), (800, 2000), (100, 10_000)])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3])
def test_ks_p_value_is_scipys_exact_one(n: int, m: int, shift: float) -> None:
    random = np.random.default_rng(n * m)
    exact = ks_2samp(random.normal(size=n), random.normal(shift, size=m), method="exact")

    found = ks_p_value(exact.statistic, n, m)

    assert found == pytest.approx(exact.pvalue, abs=0.02)


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
