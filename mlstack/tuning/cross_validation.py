"""Comparing candidates by cross-validation within a time limit, and choosing the simplest of the best.

The choice follows the one-standard-error rule (Breiman, Friedman, Olshen and Stone, Classification and
Regression Trees, 1984, section 3.4.3): the first candidate, in the order given, whose error is within one
standard error of the smallest. The configured model comes first: it stays unless another is clearly better.
"""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator
from mlstack.training.splitting import RANDOM_STATE, Dataset
from mlstack.tuning.time_limit import TimeIsUp, time_limit

logger = logging.getLogger(__name__)

FOLDS = 5
MAX_ROWS = 20_000  # of the training rows, for the comparison; the chosen candidate is trained on all


@dataclass(frozen=True)
class Score:
    """Result of cross-validation: mean RMSE over the folds and its standard error."""

    config: TrainingConfig
    rmse: float
    standard_error: float
    seconds: float


def compare(candidates: Sequence[TrainingConfig], training: Dataset, seconds: float) -> list[Score]:
    """Return the scores of the candidates that were evaluated within the time limit, in the given order.

    All are evaluated on the same folds. A candidate that cannot be fitted has no score.
    """
    rows = training.table[:MAX_ROWS]  # they are shuffled already
    scores: list[Score] = []
    try:
        with time_limit(seconds):
            for number, config in enumerate(candidates, start=1):
                score = _score(config, rows)
                _log(config, score, number, len(candidates))
                scores += [] if score is None else [score]
    except TimeIsUp:
        counts = {"evaluated": len(scores), "of": len(candidates)}
        logger.warning("time limit reached", extra={**counts, "seconds": seconds})
    return scores


def choose(scores: Sequence[Score], configured: TrainingConfig) -> TrainingConfig:
    """Return the first config within one standard error of the best; `configured` if there are no scores."""
    if not scores:
        return configured
    best = min(scores, key=lambda score: score.rmse)
    return next(score.config for score in scores if score.rmse <= best.rmse + best.standard_error)


def _score(config: TrainingConfig, rows: FloatArray) -> Score | None:
    started = time.perf_counter()
    try:
        errors = _errors(config, rows)
    except (TrainingRefused, TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError) as refused:
        logger.warning("candidate left out", extra={"estimator": config.estimator, "reason": str(refused)})
        return None
    standard_error = float(np.std(errors, ddof=1)) / math.sqrt(FOLDS)
    return Score(config, float(np.mean(errors)), standard_error, time.perf_counter() - started)


def _errors(config: TrainingConfig, rows: FloatArray) -> FloatArray:
    """Return the RMSE of each fold, [FOLDS], all finite."""
    from sklearn.model_selection import KFold, cross_val_score  # noqa: PLC0415 - takes seconds

    if len(rows) < 2 * FOLDS:
        raise TrainingRefused(f"{len(rows)} rows are too few for {FOLDS} folds")
    folds = KFold(FOLDS, shuffle=True, random_state=RANDOM_STATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # training repeats those of the chosen candidate
        scores: FloatArray = cross_val_score(
            build_estimator(config), rows[:, :-1], rows[:, -1],
            scoring="neg_root_mean_squared_error", cv=folds, error_score="raise",
        )  # fmt: skip
    if not np.isfinite(scores).all():
        raise TrainingRefused("the squares of its errors are too large")
    return -scores


def _log(config: TrainingConfig, score: Score | None, number: int, total: int) -> None:
    numbers = {} if score is None else {"rmse": score.rmse, "standard_error": score.standard_error}
    about = {"candidate": number, "of": total, "estimator": config.estimator, "parameters": config.parameters}
    logger.info("compared", extra={**about, **numbers})
