"""Compares two versions on the same requests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from mlstack.challenger.losses import class_name, losses
from mlstack.challenger.pairs import Pair
from mlstack.challenger.permutation import PERMUTATIONS, paired_p_value

TEST = (
    "paired permutation test of the mean loss, two-sided, the rows of a request together, "
    f"{PERMUTATIONS} random permutations (Fisher 1935; p-value of Phipson and Smyth 2010)"
)
_LEAST_TRUTHS = 20  # requests: with fewer the sentence does not choose
_SIGNIFICANT = 0.05


class Truths(msgspec.Struct, frozen=True, kw_only=True):
    """Both errors where true values are known."""

    requests: int
    rows: int
    measure: str  # rmse or log_loss
    current: float
    challenger: float
    p_value: float | None  # None if an error is too large for a number
    test: str = TEST


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What two versions say to the same requests."""

    version: int
    current_version: int
    requests: int
    rows: int
    mean_difference: float | None = None  # of numbers, absolute
    max_difference: float | None = None
    differing_share: float | None = None  # of classes
    truths: Truths | None = None
    conclusion: str = ""


def compare(version: int, current: int, pairs: Sequence[Pair]) -> Comparison:
    """Compare the answers, and the errors where they are known."""
    rows = sum(len(pair.answered) for pair in pairs)
    found = Comparison(version=version, current_version=current, requests=len(pairs), rows=rows)
    if pairs and pairs[0].answered_probabilities is not None:
        changes = {"differing_share": _differing(pairs)}
    elif pairs:
        differences = np.abs(_numbers(pairs, "answered") - _numbers(pairs, "scored"))
        changes = {"mean_difference": float(differences.mean()), "max_difference": float(differences.max())}
    else:
        changes = {}
    found = msgspec.structs.replace(found, **changes, truths=_truths(pairs))
    return msgspec.structs.replace(found, conclusion=conclude(found))


def _numbers(pairs: Sequence[Pair], member: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value for pair in pairs for value in getattr(pair, member)], dtype=np.float64)


def _differing(pairs: Sequence[Pair]) -> float:
    same = [
        class_name(one) == class_name(other)
        for pair in pairs
        for one, other in zip(pair.answered, pair.scored, strict=True)
    ]
    return 1.0 - sum(same) / len(same)


def _truths(pairs: Sequence[Pair]) -> Truths | None:
    """Return both errors on the rows of which both versions have a loss."""
    summed: list[tuple[float, float]] = []  # by request: its rows may depend on each other
    rows = 0
    for pair in pairs:
        if pair.actual is None:
            continue
        answered = losses(pair.answered, pair.answered_probabilities, pair.actual)
        scored = losses(pair.scored, pair.scored_probabilities, pair.actual)
        both = [(a, b) for a, b in zip(answered, scored, strict=False) if a is not None and b is not None]
        rows += len(both)
        if both:
            summed.append((math.fsum(a for a, _ in both), math.fsum(b for _, b in both)))
    if not summed:
        return None
    table = np.array(summed)
    with np.errstate(over="ignore", invalid="ignore"):
        current, challenger = (float(total) / rows for total in table.sum(axis=0))
        differences = table[:, 0] - table[:, 1]
    finite = bool(np.isfinite(differences).all()) and math.isfinite(current + challenger)
    classes = pairs[0].answered_probabilities is not None
    return Truths(
        requests=len(summed),
        rows=rows,
        measure="log_loss" if classes else "rmse",
        current=current if classes else math.sqrt(current),
        challenger=challenger if classes else math.sqrt(challenger),
        p_value=paired_p_value(differences) if finite else None,
    )


def conclude(found: Comparison) -> str:
    """Return the sentence that says in plain words what the numbers mean."""
    other, truths = f"version {found.current_version}", found.truths
    tried = f"Version {found.version}"
    if not found.requests:
        return f"{tried} has not been scored yet on a request that {other} answered."
    if truths is None or truths.p_value is None:
        return "Nothing says yet which version is better: no true values are known (POST /feedback)."
    better = truths.challenger < truths.current
    how = f"{tried} errs {'less' if better else 'more'} than {other}"
    if truths.requests < _LEAST_TRUTHS:
        return f"{how} so far, but {truths.requests} requests with true values are too few to tell."
    often = f"in {truths.p_value:.2g} of cases" if truths.p_value > 0.001 else "in less than 1 of 1000 cases"
    if truths.p_value < _SIGNIFICANT:
        return f"{how}, and not by chance: equally good versions would differ as much {often}."
    return f"{how}, but it may be chance: equally good versions would differ as much {often}."
