"""Comparing candidates by cross-validation within a time limit, and choosing the simplest of the best.

Regressors are compared by their RMSE, classifiers by their log loss on folds with equal shares of each class.
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
from typing import Any, Literal

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator, is_classifier
from mlstack.training.preprocessing import with_preprocessing
from mlstack.training.splitting import RANDOM_STATE, Dataset
from mlstack.tuning.time_limit import TimeIsUp, time_limit

logger = logging.getLogger(__name__)

FOLDS = 5
Measure = Literal["rmse", "log_loss"]
MAX_ROWS = 20_000  # of the training rows, for the comparison; the chosen candidate is trained on all


@dataclass(frozen=True)
class Score:
    """Result of cross-validation: the mean error over the folds and its standard error."""

    config: TrainingConfig
    error: float
    standard_error: float
    seconds: float
    measure: Measure = "rmse"  # what `error` is


def compare(
    candidates: Sequence[TrainingConfig], training: Dataset, seconds: float, features: Sequence[Column] = ()
) -> list[Score]:
    """Return the scores of the candidates that were evaluated within the time limit, in the given order.

    All are evaluated on the same folds. A candidate that cannot be fitted, or is not of the first one's kind,
    has no score. Without `features`, the columns of a row, all are plain numbers.
    """
    rows = training.table[:MAX_ROWS]  # they are shuffled already
    scores: list[Score] = []
    try:
        with time_limit(seconds):
            for number, config in enumerate(candidates, start=1):
                score = _score(config, rows, features, scores[0].measure if scores else None)
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
    best = min(scores, key=lambda score: score.error)
    return next(score.config for score in scores if score.error <= best.error + best.standard_error)


def _score(
    config: TrainingConfig, rows: FloatArray, features: Sequence[Column], wanted: Measure | None
) -> Score | None:
    started = time.perf_counter()
    try:
        measure, errors = fold_errors(with_preprocessing(build_estimator(config), features), rows)
        if measure != (wanted or measure):
            raise TrainingRefused("a classifier and a regressor cannot be compared")
    except (TrainingRefused, TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError) as refused:
        logger.warning("candidate left out", extra={"estimator": config.estimator, "reason": str(refused)})
        return None
    standard_error = float(np.std(errors, ddof=1)) / math.sqrt(FOLDS)
    seconds = time.perf_counter() - started
    return Score(config, float(np.mean(errors)), standard_error, seconds, measure)


def fold_errors(estimator: Estimator, rows: FloatArray) -> tuple[Measure, FloatArray]:
    """Return the error of each fold, [FOLDS], all finite, and what it is; raise TrainingRefused."""
    from sklearn.model_selection import cross_val_score  # noqa: PLC0415 - takes seconds

    if len(rows) < 2 * FOLDS:
        raise TrainingRefused(f"{len(rows)} rows are too few for {FOLDS} folds")
    measure: Measure = "log_loss" if is_classifier(estimator) else "rmse"
    folds, scoring = _class_folds(rows[:, -1]) if measure == "log_loss" else _number_folds()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # training repeats those of the chosen candidate
        scores: FloatArray = cross_val_score(
            estimator, rows[:, :-1], rows[:, -1], scoring=scoring, cv=folds, error_score="raise"
        )
    if not np.isfinite(scores).all():
        raise TrainingRefused("its errors are not finite numbers")
    return measure, -scores


def _number_folds() -> tuple[Any, Any]:
    from sklearn.model_selection import KFold  # noqa: PLC0415

    return KFold(FOLDS, shuffle=True, random_state=RANDOM_STATE), "neg_root_mean_squared_error"


def _class_folds(classes: FloatArray) -> tuple[Any, Any]:
    """Return stratified folds, and the log loss for them: a rare class may be missing in a fold."""
    from sklearn.metrics import log_loss, make_scorer  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    about = {"response_method": "predict_proba", "greater_is_better": False, "labels": np.unique(classes)}
    return StratifiedKFold(FOLDS, shuffle=True, random_state=RANDOM_STATE), make_scorer(log_loss, **about)


def _log(config: TrainingConfig, score: Score | None, number: int, total: int) -> None:
    numbers = {} if score is None else {score.measure: score.error, "standard_error": score.standard_error}
    about = {"candidate": number, "of": total, "estimator": config.estimator, "parameters": config.parameters}
    logger.info("compared", extra={**about, **numbers})
