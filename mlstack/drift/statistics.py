"""Has the distribution of a column of numbers changed? Two measures; a column has drifted if both say so.

Population stability index (N. Siddiqi, Credit Risk Scorecards, 2006, chapter 9): over bins i,
    PSI = Σ (aᵢ - eᵢ) · ln(aᵢ / eᵢ),   eᵢ expected and aᵢ actual share of the rows.
By convention 0.2 is a significant shift. The PSI of two samples of one distribution is not zero, though: it
is about (1/n + 1/m) · χ² with B - 1 degrees of freedom for B bins (B. Yurdakul, Statistical Properties of
Population Stability Index, 2018), so with few rows the limit is higher.

Two-sample Kolmogorov-Smirnov statistic (N. Smirnov, 1939): D = sup |F₁ - F₂|, the largest distance between
the empirical distribution functions. The p-value is that of D for one sample of nm/(n + m) rows (R. Simard
and P. L'Ecuyer, Computing the Two-Sided Kolmogorov-Smirnov Distribution, 2011). It is close to the exact one,
which would take half a second for a column of 10,000 rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from mlstack.runtime.arrays import FloatArray

BINS = 10
PSI_LIMIT = 0.2
SIGNIFICANCE = 0.01  # of all columns together
_EMPTY = 0.5  # an empty bin counts as half a row: the logarithm of 0 does not exist


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """How far one column of the window is from the training data."""

    name: str
    psi: float
    psi_limit: float
    ks: float | None = None  # of numbers
    ks_p_value: float | None = None
    chi_squared: float | None = None  # of categories
    chi_squared_p_value: float | None = None
    drifted: bool
    expected: tuple[float, ...]  # share of the training rows in each bin
    actual: tuple[float, ...]  # share of the window's rows
    labels: tuple[str, ...]  # what each bin holds


@dataclass(frozen=True)
class Reference:
    """One column of the training data, prepared for repeated comparison."""

    name: str
    ordered: FloatArray  # [n], ascending
    edges: FloatArray  # between at most BINS bins that hold equally many of them, and one for NULL

    @classmethod
    def of(cls, name: str, values: FloatArray, nullable: bool = False) -> Reference:
        """Prepare `values` [n], n > 0, in any order; equal quantiles become one edge."""
        ordered = np.sort(_null_as_lowest(values))
        numbers = ordered[np.searchsorted(ordered, -np.inf, side="right") :]
        positions = np.arange(1, BINS) * len(numbers) // BINS
        edges = np.unique(numbers[positions]) if len(numbers) else numbers
        return cls(name, ordered, np.append(-np.inf, edges) if nullable else edges)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds."""
        bounds = self.edges[np.isfinite(self.edges)].tolist()
        numbers = [*(f"to {bound:.6g}" for bound in bounds), f"above {bounds[-1]:.6g}" if bounds else "all"]
        return tuple(["(NULL)", *numbers] if len(bounds) < len(self.edges) else numbers)


def column_drift(reference: Reference, sample: FloatArray, columns: int) -> ColumnDrift:
    """Compare `sample` [m], m > 1, with the reference; it is one of `columns` that are tested together."""
    from scipy.stats import ks_2samp  # noqa: PLC0415 - takes a second; the first page need not wait for it

    sample = _null_as_lowest(sample)
    expected = bin_counts(reference.edges, reference.ordered)
    actual = bin_counts(reference.edges, sample)
    psi = population_stability_index(expected, actual)
    limit = psi_limit(len(expected), len(reference.ordered), len(sample))
    ks = ks_2samp(reference.ordered, sample, method="asymp")
    return ColumnDrift(
        name=reference.name,
        psi=psi,
        psi_limit=limit,
        ks=float(ks.statistic),
        ks_p_value=float(ks.pvalue),
        drifted=bool(psi > limit and ks.pvalue < SIGNIFICANCE / columns),
        expected=tuple((expected / expected.sum()).tolist()),
        actual=tuple((actual / actual.sum()).tolist()),
        labels=reference.labels,
    )


def _null_as_lowest(values: FloatArray) -> FloatArray:
    return np.where(np.isnan(values), -np.inf, values)


def bin_counts(edges: FloatArray, values: FloatArray) -> FloatArray:
    """Return how many values lie in (-∞, e₁], (e₁, e₂], … (eₖ, ∞), shape [k + 1]."""
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return counts.astype(np.float64)


def population_stability_index(expected: FloatArray, actual: FloatArray) -> float:
    """Return the PSI of two lists of counts [B]: 0 if their shares are equal."""
    used = (expected > 0) | (actual > 0)
    e = np.maximum(expected[used], _EMPTY) / expected.sum()
    a = np.maximum(actual[used], _EMPTY) / actual.sum()
    return float(np.sum((a - e) * np.log(a / e)))


def psi_limit(bins: int, n: int, m: int) -> float:
    """Return the PSI above which samples of n and m rows have drifted; 1 in 100 exceeds it by chance."""
    from scipy.stats import chi2  # noqa: PLC0415

    if bins < 2:
        return PSI_LIMIT
    return max(PSI_LIMIT, float(chi2.isf(SIGNIFICANCE, bins - 1)) * (1 / n + 1 / m))


def extrapolated_share(low: FloatArray, high: FloatArray, rows: FloatArray) -> float:
    """Return the share of rows [m, k] with any feature outside [low, high], each [k]; NULL is inside."""
    outside = (rows < low) | (rows > high)
    return float(outside.any(axis=1).mean())
