"""For any two samples: the measures keep within their ranges and do not depend on order, unit or side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlstack.drift.statistics import (
    Reference,
    bin_counts,
    column_drift,
    population_stability_index,
)
from mlstack.runtime.arrays import FloatArray

# To the millionth: a number so small that another unit rounds it to zero has another distribution there.
numbers = st.integers(-(10**12), 10**12).map(lambda millionths: millionths / 1e6)
samples = arrays(np.float64, st.integers(2, 60), elements=numbers)
counts = arrays(np.float64, 5, elements=st.integers(0, 1000)).filter(lambda found: found.sum() > 0)


@given(counts, counts)
def test_psi_is_never_negative_and_the_same_from_both_sides(first: FloatArray, second: FloatArray) -> None:
    psi = population_stability_index(first, second)

    assert psi >= -1e-12
    assert psi == pytest.approx(population_stability_index(second, first))


@given(counts, st.integers(2, 9))
def test_psi_of_equal_shares_is_zero(expected: FloatArray, factor: int) -> None:
    assert population_stability_index(expected, expected * factor) == pytest.approx(0)


@given(samples, samples)
def test_every_value_falls_into_one_bin(values: FloatArray, sample: FloatArray) -> None:
    reference = Reference.of("x", values)

    assert bin_counts(reference.edges, sample).sum() == len(sample)
    assert len(bin_counts(reference.edges, sample)) == len(reference.edges) + 1


@given(samples, samples)
def test_ks_lies_between_0_and_1_and_is_the_same_from_both_sides(
    first: FloatArray, second: FloatArray
) -> None:
    one = column_drift(Reference.of("x", first), second, columns=1)
    other = column_drift(Reference.of("x", second), first, columns=1)

    assert one.ks is not None
    assert one.ks_p_value is not None
    assert 0 <= one.ks <= 1
    assert one.ks == pytest.approx(other.ks)
    assert 0 <= one.ks_p_value <= 1


@given(samples)
def test_a_sample_has_not_drifted_from_itself(values: FloatArray) -> None:
    found = column_drift(Reference.of("x", values), values[::-1].copy(), columns=1)

    assert found.psi == pytest.approx(0)
    assert (found.ks, found.drifted) == (0.0, False)


@given(samples, samples, st.sampled_from([0.5, 2.0, 1024.0]))
def test_the_unit_does_not_matter(values: FloatArray, sample: FloatArray, factor: float) -> None:
    one = column_drift(Reference.of("x", values), sample, columns=1)
    other = column_drift(Reference.of("x", values * factor), sample * factor, columns=1)

    assert (one.psi, one.ks) == (other.psi, other.ks)
