"""Drift of categories: computed by hand, how often it errs, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from mlstack.drift.categories import CategoryReference, category_drift, pool_rare
from mlstack.drift.statistics import Reference, column_drift, population_stability_index
from mlstack.registry.columns import UNSEEN, Column
from mlstack.runtime.arrays import FloatArray

ABC = Column(name="city", kind="category", categories=("a", "b", "c"))
OPTIONAL = Column(name="city", kind="category", categories=("a", "b", "c"), nullable=True)
YES = Column(name="yes", kind="boolean", nullable=True)


def _codes(*counts: tuple[float, int]) -> FloatArray:
    return np.concatenate([np.full(count, code) for code, count in counts])


def test_chi_squared_and_psi_are_the_sums_computed_by_hand() -> None:
    reference = CategoryReference.of(ABC, _codes((0, 50), (1, 30), (2, 20)))

    found = category_drift(reference, _codes((0, 20), (1, 30), (2, 50)), columns=1)

    # Half of 70, 60 and 70 rows are expected of each sample.
    by_hand = 2 * (15**2 / 35 + 0 + 15**2 / 35)
    assert found.chi_squared == pytest.approx(by_hand)
    assert found.chi_squared_p_value == pytest.approx(chi2.sf(by_hand, 2))
    assert found.psi == pytest.approx(
        population_stability_index(np.array([50, 30, 20]), np.array([20, 30, 50]))
    )
    assert (found.ks, found.ks_p_value) == (None, None)


def test_unseen_and_null_are_bins_of_their_own() -> None:
    reference = CategoryReference.of(OPTIONAL, _codes((0, 40), (1, 40), (2, 10), (np.nan, 10)))

    found = category_drift(reference, _codes((0, 10), (UNSEEN, 30), (np.nan, 60)), columns=1)

    assert found.labels == ("a", "b", "c", "(unseen)", "(NULL)")
    assert found.expected == (0.4, 0.4, 0.1, 0.0, 0.1)
    assert found.actual == (0.1, 0.0, 0.0, 0.3, 0.6)


def test_booleans_and_classes_are_named_as_in_answers() -> None:
    booleans = CategoryReference.of(YES, _codes((0, 1), (1, 3)))
    classes = CategoryReference.of_classes("prediction", (False, True), _codes((1, 4)))
    numbers = CategoryReference.of_classes("prediction", (3, 7), _codes((0, 2), (1, 2)))

    assert (booleans.labels, booleans.counts.tolist()) == (("false", "true", "(NULL)"), [1, 3, 0])
    assert (classes.labels, classes.counts.tolist()) == (("false", "true"), [0, 4])
    assert (numbers.labels, numbers.counts.tolist()) == (("3", "7"), [2, 2])


def test_bins_with_fewer_than_5_expected_rows_are_taken_together() -> None:
    counts = np.array(
        [[300.0, 2, 1, 0, 97], [80.0, 1, 0, 4, 15]]
    )  # the smaller sample has a fifth of the rows

    pooled = pool_rare(counts)

    assert pooled.tolist() == [[100, 300], [20, 80]]  # 8 rows are too few for 5 expected: the next bin joins


@pytest.mark.parametrize("counts", [[[3.0, 1], [2, 2]], [[0.0, 9], [0, 9]], [[9.0, 0], [0, 9]]])
def test_every_row_is_in_some_bin_after_pooling(counts: list[list[float]]) -> None:
    pooled = pool_rare(np.array(counts))

    assert pooled.sum(axis=1).tolist() == np.sum(counts, axis=1).tolist()
    assert (pooled.sum(axis=0) > 0).all()


def test_a_constant_column_has_not_drifted_from_itself() -> None:
    reference = CategoryReference.of(ABC, np.zeros(100))

    found = category_drift(reference, np.zeros(300), columns=1)

    assert (found.psi, found.chi_squared, found.chi_squared_p_value, found.drifted) == (0.0, 0.0, 1.0, False)


@pytest.mark.parametrize(("categories", "evenness"), [(2, 5.0), (4, 1.0), (30, 1.0), (100, 0.3)])
@pytest.mark.parametrize(("n", "m"), [(80, 200), (1000, 300), (10_000, 10_000)])
def test_samples_of_one_distribution_rarely_count_as_drifted(
    categories: int, evenness: float, n: int, m: int
) -> None:
    random = np.random.default_rng(667)
    names = tuple(f"{code:03}" for code in range(categories))
    column = Column(name="city", kind="category", categories=names, nullable=True)
    codes = np.array([*range(categories), np.nan])

    alarms = 0
    for _ in range(200):
        shares = random.dirichlet([evenness] * len(codes))
        reference = CategoryReference.of(column, random.choice(codes, n, p=shares))
        alarms += category_drift(reference, random.choice(codes, m, p=shares), columns=1).drifted

    assert alarms <= 6  # two are expected of a level of 1 %, and more than 6 in one case of 200


@pytest.mark.parametrize(
    "shares",
    [(0.2, 0.3, 0.5, 0.0, 0.0), (0.42, 0.25, 0.18, 0.15, 0.0), (0.4, 0.25, 0.15, 0.0, 0.2)],
    ids=["other shares", "an unseen category", "NULL"],
)
def test_shifted_categories_are_found_nearly_always(shares: tuple[float, ...]) -> None:
    random = np.random.default_rng(667)
    codes = np.array([0, 1, 2, UNSEEN, np.nan])

    found = 0
    for _ in range(200):
        reference = CategoryReference.of(OPTIONAL, random.choice(codes[:3], 800, p=(0.5, 0.3, 0.2)))
        found += category_drift(reference, random.choice(codes, 400, p=shares), columns=3).drifted

    assert found >= 190


def test_the_share_of_null_is_a_bin_of_a_column_of_numbers() -> None:
    numbers = np.append(np.arange(900.0), np.full(100, np.nan))
    reference = Reference.of("area", numbers, nullable=True)

    found = column_drift(reference, np.append(np.arange(0.0, 900, 2), np.full(550, np.nan)), columns=1)

    assert len(found.expected) == 11
    assert found.labels[0] == "(NULL)"
    assert (found.expected[0], found.actual[0]) == (0.1, 0.55)
    assert found.ks == pytest.approx(0.45)
    assert found.drifted


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_numbers_with_null_rarely_count_as_drifted(share: float) -> None:
    random = np.random.default_rng(667)

    def sample(rows: int) -> FloatArray:
        return np.where(random.random(rows) < share, np.nan, random.normal(size=rows))

    alarms = [
        column_drift(Reference.of("x", sample(80), nullable=True), sample(200), columns=1).drifted
        for _ in range(300)
    ]

    assert sum(alarms) <= 8  # three are expected of a level of 1 %, and more than 8 in one case of 250
