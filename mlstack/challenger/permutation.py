"""Permutation tests: how often chance alone would show a difference of means as large as the one seen.

They need no assumption about how losses are distributed: under the hypothesis that both versions are equally
good, the labels of the two are exchangeable (R. A. Fisher, The Design of Experiments, 1935, section 21;
E. J. G. Pitman, 1937). The permutation that was seen counts as one of them, so a p-value is never 0
(B. Phipson and G. K. Smyth, Permutation p-values should never be zero, 2010, equation 2).
"""

from __future__ import annotations

import numpy as np

from mlstack.runtime.arrays import FloatArray

PERMUTATIONS = 4999
_AT_ONCE = 64
_ROUNDING = 1e-12  # of a sum: permutations that differ by it only are as large as the one seen


def paired_p_value(differences: FloatArray) -> float:
    """Return the two-sided p-value of paired differences [n] having the mean 0: signs are exchangeable."""
    random = np.random.default_rng(0)
    seen = abs(float(differences.sum()))
    limit = seen - _ROUNDING * float(np.abs(differences).sum())
    as_large = 0
    for start in range(0, PERMUTATIONS, _AT_ONCE):
        count = min(_AT_ONCE, PERMUTATIONS - start)
        signs = random.integers(0, 2, (count, len(differences)), dtype=np.int8) * 2 - 1
        as_large += int((np.abs(signs @ differences) >= limit).sum())
    return (as_large + 1) / (PERMUTATIONS + 1)


def greater_p_value(tried: FloatArray, other: FloatArray) -> float:
    """Return the one-sided p-value of `tried` [n] having no greater mean than `other` [m]."""
    random = np.random.default_rng(0)
    pooled = np.concatenate([tried, other])
    seen = float(tried.sum())
    limit = seen - _ROUNDING * float(np.abs(pooled).sum())
    as_large = sum(
        float(random.permutation(pooled)[: len(tried)].sum()) >= limit for _ in range(PERMUTATIONS)
    )
    return (as_large + 1) / (PERMUTATIONS + 1)
