"""What the quality gate decides on: a score on the hold-out, RMSE or log loss, beside those of its rivals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from mlstack.registry.verdicts import Evaluation

_LEAST_ROWS = 100  # that both take, or half of the hold-out: fewer would let chance decide
_TITLES = {"rmse": ("RMSE", "the mean"), "log_loss": ("log loss", "the class frequencies")}


class Against(NamedTuple):
    """Metrics of the candidate and of the current version on the rows of the hold-out that both take."""

    version: int
    rows: int
    scope: str  # which rows they are, if not all can be
    unseen_rows: int  # with a category that the current version has not seen
    candidate: dict[str, float]
    current: dict[str, float]
    own_figure: float | None = None  # of the current version on its own hold-out, if it has seen this one


@dataclass(frozen=True)
class Scores:
    """The metrics of a candidate on the hold-out, those of its rivals, and the one that decides."""

    deciding: str  # rmse or log_loss, which is infinite if a prediction is not a finite number
    rows: int
    metrics: dict[str, float]
    baseline: float  # of always predicting the mean, or the class frequencies
    rounding: float  # differences up to it are rounding errors
    against: Against | None = None
    not_compared: str = ""

    @property
    def whole(self) -> bool:
        """Whether the current version takes all rows of the hold-out."""
        return self.against is not None and self.against.rows == self.rows


def enough_rows(shared: int, rows: int) -> bool:
    """Return whether so many rows that both versions take, of so many, are enough to compare them on."""
    return shared >= min(_LEAST_ROWS, math.ceil(rows / 2))


def too_few(shared: int, rows: int) -> str:
    """Return why versions with so few shared rows are not compared."""
    return f"it takes {shared} of the {rows} rows of the hold-out, too few to compare"


def verdict_on(scores: Scores, tolerance: float) -> Evaluation:
    """Return the verdict that the scores give, with them as its evidence."""
    name, against, found = scores.deciding, scores.against, scores.metrics[scores.deciding]
    evidence: dict[str, Any] = {
        "rows": scores.rows,
        name: found if math.isfinite(found) else None,
        f"baseline_{name}": scores.baseline,
        "metrics": _finite(scores.metrics),
        "not_compared": scores.not_compared,
    }
    if against is not None:
        rival = against.current[name]
        evidence |= {
            "current_version": against.version,
            f"current_{name}": rival if math.isfinite(rival) else None,
            "current_metrics": _finite(against.current),
            "shared_metrics": {} if scores.whole else _finite(against.candidate),
            "current_rows": against.rows,
            "current_scope": "" if scores.whole else against.scope,
            "current_unseen_rows": against.unseen_rows,
            "current_own_holdout": against.own_figure,
        }
    reason = _objection(scores, tolerance)
    why = "; ".join(part for part in (reason or "passed the quality gate", scores.not_compared) if part)
    return msgspec.convert(evidence, Evaluation).with_verdict("rejected" if reason else "promoted", why)


def _objection(scores: Scores, tolerance: float) -> str:
    """Return why the candidate must not be served, "" if it may be served."""
    name, predicting = _TITLES[scores.deciding]
    found, baseline, against = scores.metrics[scores.deciding], scores.baseline, scores.against
    if not math.isfinite(found):
        return "its predictions are not finite numbers"
    if found >= baseline:
        return f"{name} {found:.4g} is no better than {baseline:.4g} of always predicting {predicting}"
    if against is None:
        return ""
    mine, current = against.candidate[scores.deciding], against.current[scores.deciding]
    current = max(current, against.own_figure or 0.0)
    if mine <= current * (1 + tolerance) + scores.rounding:
        return ""
    where = " on its own hold-out" if current == against.own_figure else ""
    worse = (
        f"{name} {mine:.4g} is worse than {current:.4g} of the current version{where} by more than "
        f"{tolerance:.0%}"
    )
    if scores.whole:
        return worse
    return f"{worse}, on {against.rows} of {scores.rows} rows of the hold-out: those {against.scope}"


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
