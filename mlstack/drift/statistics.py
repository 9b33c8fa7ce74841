"""Has a distribution moved? Two measures for one column; drift is what both see.

Population stability index (N. Siddiqi, Credit Risk Scorecards, 2006, chapter 9): over bins i,
    PSI = Σ (aᵢ - eᵢ) · ln(aᵢ / eᵢ),   eᵢ expected and aᵢ actual share of the rows.
By convention 0.2 is a shift that matters. Two samples of one distribution differ too, though: there PSI is
about (1/n + 1/m) · χ² with B - 1 degrees of freedom for B bins (B. Yurdakul, Statistical Properties of
Population Stability Index, 2018), so with few rows the limit is higher.

Two-sample Kolmogorov-Smirnov statistic (N. Smirnov, 1939): D = sup |F₁ - F₂|, the empirical distribution
functions; p-value Q((√N + 0.12 + 0.11/√N) · D) with N = nm/(n + m), Kolmogorov's Q (M. Stephens, 1970).
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from mlstack.runtime.arrays import FloatArray

BINS = 10
PSI_LIMIT = 0.2
SIGNIFICANCE = 0.01  # of all columns together
_EMPTY = 0.5  # rows that an empty bin counts for: the logarithm needs some


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """How far one column of the window is from the training data."""

    name: str
    psi: float
    psi_limit: float
    ks: float
    ks_p_value: float
    drifted: bool
    expected: tuple[float, ...]  # share of the training rows in each bin
    actual: tuple[float, ...]  # share of the window's rows
    edges: tuple[float, ...]  # between the bins


@dataclass(frozen=True)
class Reference:
    """One column of the training data, ready to be compared with again and again."""

    name: str
    ordered: FloatArray  # [n], ascending
    edges: FloatArray  # between at most BINS bins that hold equally many of them

    @classmethod
    def of(cls, name: str, values: FloatArray) -> Reference:
        """Prepare `values` [n], n > 0, in any order; equal quantiles become one edge."""
        ordered = np.sort(values)
        positions = np.arange(1, BINS) * len(ordered) // BINS
        return cls(name, ordered, np.unique(ordered[positions]))


def column_drift(reference: Reference, sample: FloatArray, columns: int) -> ColumnDrift:
    """Compare `sample` [m], m > 0, with the reference; it is one of `columns` that are looked at."""
    expected = bin_counts(reference.edges, reference.ordered)
    actual = bin_counts(reference.edges, sample)
    psi = population_stability_index(expected, actual)
    limit = psi_limit(len(expected), len(reference.ordered), len(sample))
    ks = ks_statistic(reference.ordered, sample)
    p_value = ks_p_value(ks, len(reference.ordered), len(sample))
    return ColumnDrift(
        name=reference.name,
        psi=psi,
        psi_limit=limit,
        ks=ks,
        ks_p_value=p_value,
        drifted=psi > limit and p_value < SIGNIFICANCE / columns,
        expected=tuple((expected / expected.sum()).tolist()),
        actual=tuple((actual / actual.sum()).tolist()),
        edges=tuple(reference.edges.tolist()),
    )


def bin_counts(edges: FloatArray, values: FloatArray) -> FloatArray:
    """Return how many values lie in (-∞, e₁], (e₁, e₂], … (eₖ, ∞), shape [k + 1]."""
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return counts.astype(np.float64)


def population_stability_index(expected: FloatArray, actual: FloatArray) -> float:
    """Return the PSI of two lists of counts [B]: 0 if their shares are equal. An empty bin is half a row."""
    used = (expected > 0) | (actual > 0)
    e = np.maximum(expected[used], _EMPTY) / expected.sum()
    a = np.maximum(actual[used], _EMPTY) / actual.sum()
    return float(np.sum((a - e) * np.log(a / e)))


def psi_limit(bins: int, n: int, m: int) -> float:
    """Return the PSI from which samples of n and m rows count as drifted: chance passes it once in 100."""
    from scipy.special import chdtri  # noqa: PLC0415 - heavy, and only the monitor needs it

    if bins < 2:
        return PSI_LIMIT
    return max(PSI_LIMIT, float(chdtri(bins - 1, SIGNIFICANCE)) * (1 / n + 1 / m))


def ks_statistic(ordered: FloatArray, sample: FloatArray) -> float:
    """Return D between an ascending sample [n] and another [m] in any order."""
    other = np.sort(sample)
    points = np.concatenate([ordered, other])
    first = np.searchsorted(ordered, points, side="right") / len(ordered)
    second = np.searchsorted(other, points, side="right") / len(other)
    return float(np.max(np.abs(first - second)))


def ks_p_value(d: float, n: int, m: int) -> float:
    """Return how likely two samples of one distribution are at least `d` apart."""
    from scipy.special import kolmogorov  # noqa: PLC0415 - heavy, and only the monitor needs it

    root = np.sqrt(n * m / (n + m))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * d))


def extrapolated_share(low: FloatArray, high: FloatArray, rows: FloatArray) -> float:
    """Return the share of rows [m, k] with any feature outside [low, high], each [k]: nobody taught those."""
    outside = (rows < low) | (rows > high)
    return float(outside.any(axis=1).mean())
