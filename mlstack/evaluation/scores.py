"""What the quality gate decides on: a score on the hold-out, RMSE or log loss, beside those of its rivals."""

from __future__ import annotations

import math
from typing import NamedTuple

from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.verdicts import Evaluation


class Errors(NamedTuple):
    """Root mean squared errors on the hold-out: of the candidate, of the mean, of the current version."""

    rows: int
    rmse: float
    baseline: float
    current: float | None
    deviation: float  # of the target


class Losses(NamedTuple):
    """Log losses on the hold-out: of the candidate, of the class frequencies, of the current version."""

    rows: int
    log_loss: float
    baseline: float
    current: float | None


def verdict_on(errors: Errors, current: LoadedModel | None, tolerance: float) -> Evaluation:
    """Return the verdict that the errors on the hold-out give, with them as its evidence."""
    rounding = 1e-9 * errors.deviation  # on data without noise, the RMSE of both is rounding error
    _, rmse, baseline, rival, _ = errors
    reason = _objection(Score("RMSE", rmse, baseline, rival), "the mean", tolerance, rounding)
    evidence = Evaluation(
        rows=errors.rows,
        rmse=rmse if math.isfinite(rmse) else None,
        baseline_rmse=baseline,
        current_version=current.version if current else None,
        current_rmse=rival,
    )
    return _decided(evidence, reason)


def verdict_on_classes(losses: Losses, current: LoadedModel | None, tolerance: float) -> Evaluation:
    """Return the verdict that the log losses on the hold-out give, with them as its evidence."""
    _, loss, baseline, rival = losses
    score = Score("log loss", loss, baseline, rival)
    reason = _objection(score, "the class frequencies", tolerance, 1e-9)
    evidence = Evaluation(
        rows=losses.rows,
        log_loss=loss if math.isfinite(loss) else None,
        baseline_log_loss=baseline,
        current_version=current.version if current else None,
        current_log_loss=rival,
    )
    return _decided(evidence, reason)


class Score(NamedTuple):
    """A metric that is better if smaller: of the candidate, the baseline and the current version."""

    name: str
    candidate: float
    baseline: float
    current: float | None


def _objection(score: Score, predicting: str, tolerance: float, rounding: float) -> str:
    """Return why the candidate must not be served, "" if it may be served."""
    name, found, baseline, current = score
    if not math.isfinite(found):
        return "its predictions are not finite numbers"
    if found >= baseline:
        return f"{name} {found:.4g} is no better than {baseline:.4g} of always predicting {predicting}"
    if current is not None and found > current * (1 + tolerance) + rounding:
        worse = f"{name} {found:.4g} is worse than {current:.4g} of the current version"
        return f"{worse} by more than {tolerance:.0%}"
    return ""


def _decided(evidence: Evaluation, reason: str) -> Evaluation:
    return evidence.with_verdict("rejected" if reason else "promoted", reason or "passed the quality gate")
