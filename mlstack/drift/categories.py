"""Has the distribution of a column of categories changed? Two measures; a column has drifted if both say so.

The bins are the categories; those that training has not seen are one, and so is NULL. PSI is that of numbers.
In place of Kolmogorov-Smirnov stands the chi-squared test of homogeneity (K. Pearson, 1911): over bins i and
both samples, Σ (observed - expected)² / expected, with B - 1 degrees of freedom for B bins.

Both need enough rows in a bin: bins in which fewer than 5 rows are expected of the smaller sample (W. G.
Cochran, Some Methods for Strengthening the Common χ² Tests, 1954) are taken together, the smallest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlstack.drift.statistics import SIGNIFICANCE, ColumnDrift, population_stability_index, psi_limit
from mlstack.registry.columns import UNSEEN, Class, Column, class_key
from mlstack.runtime.arrays import FloatArray

_LEAST_EXPECTED = 5


@dataclass(frozen=True)
class CategoryReference:
    """One column of the training data, counted by category."""

    name: str
    labels: tuple[str, ...]  # of the codes 0, 1, …, then what is not a category of the column
    codes: FloatArray  # [B] what each label is encoded as; NULL as NaN
    counts: FloatArray  # [B]

    @classmethod
    def of(cls, column: Column, values: FloatArray) -> CategoryReference:
        """Count encoded `values` [n], n > 0, of a boolean or category column."""
        labels: Sequence[str] = column.categories if column.kind == "category" else ("false", "true")
        codes = [float(code) for code in range(len(labels))]
        if column.kind == "category":
            labels, codes = [*labels, "(unseen)"], [*codes, UNSEEN]
        if column.nullable:
            labels, codes = [*labels, "(NULL)"], [*codes, np.nan]
        return cls._counted(column.name, labels, codes, values)

    @classmethod
    def of_classes(cls, name: str, classes: Sequence[Class], values: FloatArray) -> CategoryReference:
        """Count predicted classes: `values` [n], n > 0, are positions in `classes`."""
        labels = [class_key(label) for label in classes]
        return cls._counted(name, labels, [float(code) for code in range(len(labels))], values)

    @classmethod
    def _counted(
        cls, name: str, labels: Sequence[str], codes: Sequence[float], values: FloatArray
    ) -> CategoryReference:
        found = np.asarray(codes, dtype=np.float64)
        return cls(name, tuple(labels), found, count_codes(found, values))


def category_drift(reference: CategoryReference, sample: FloatArray, columns: int) -> ColumnDrift:
    """Compare encoded `sample` [m], m > 1, with the reference, one of `columns` tested together."""
    from scipy.stats import chi2_contingency  # noqa: PLC0415 - takes a second; the first page need not wait for it

    expected, actual = reference.counts, count_codes(reference.codes, sample)
    compared = pool_rare(np.stack([expected, actual]))
    psi = population_stability_index(*compared)
    limit = psi_limit(compared.shape[1], int(expected.sum()), len(sample))
    chi_squared, p_value = 0.0, 1.0
    if compared.shape[1] > 1:
        found = chi2_contingency(compared, correction=False)
        chi_squared, p_value = float(found.statistic), float(found.pvalue)
    return ColumnDrift(
        name=reference.name,
        psi=psi,
        psi_limit=limit,
        chi_squared=chi_squared,
        chi_squared_p_value=p_value,
        drifted=bool(psi > limit and p_value < SIGNIFICANCE / columns),
        expected=tuple((expected / expected.sum()).tolist()),
        actual=tuple((actual / actual.sum()).tolist()),
        labels=reference.labels,
    )


def count_codes(codes: FloatArray, values: FloatArray) -> FloatArray:
    """Return how often each of `codes` [B] is among `values`, shape [B]; NaN is equal to NaN."""
    return np.array(
        [np.count_nonzero(np.isnan(values) if np.isnan(code) else values == code) for code in codes],
        dtype=np.float64,
    )


def pool_rare(counts: FloatArray) -> FloatArray:
    """Return counts [2, B] of two samples with their rare bins taken together as the first one."""
    totals = counts.sum(axis=0)
    needed = _LEAST_EXPECTED * totals.sum() / counts.sum(axis=1).min()
    order = np.argsort(totals, kind="stable")
    rare = int(np.searchsorted(totals[order], needed))
    if rare:  # together they may still be too few, and the next bins join them
        rare = max(rare, int(np.searchsorted(np.cumsum(totals[order]), needed)) + 1)
    pooled = counts[:, order[:rare]].sum(axis=1, keepdims=True)
    return np.concatenate([pooled, counts[:, order[rare:]]], axis=1) if rare else counts
