"""Comparing candidates by cross-validation within a time limit, and choosing one with reluctance.

The choice follows the one-standard-error rule (Breiman, Friedman, Olshen and Stone, Classification and
Regression Trees, 1984, section 3.4.3): the first candidate, in the order given, whose error is within one
standard error of the least. Differences within it are luck, and what is configured comes first.
"""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.estimators import build_estimator
from mlstack.training.splitting import RANDOM_STATE, Part
from mlstack.tuning.time_limit import TimeIsUp, time_limit

logger = logging.getLogger(__name__)

BoolArray = npt.NDArray[np.bool_]

FOLDS = 5
MAX_ROWS = 20_000  # of the training part that candidates are compared on: the winner is trained on all


@dataclass(frozen=True)
class Score:
    """What cross-validation says about a config: mean RMSE over the folds and its standard error."""

    config: TrainingConfig
    rmse: float
    standard_error: float
    seconds: float


def compare(candidates: Sequence[TrainingConfig], training: Part, seconds: float) -> list[Score]:
    """Return the scores of the candidates that could be judged within the time, in their order.

    The same folds for all. A candidate that cannot be fitted, or is not finished in time, has no score.
    """
    rows = training.table[:MAX_ROWS]  # they are shuffled already
    scores: list[Score] = []
    try:
        with time_limit(seconds):
            for number, config in enumerate(candidates, start=1):
                score = _score(config, rows)
                _tell(config, score, number, len(candidates))
                scores += [] if score is None else [score]
    except TimeIsUp:
        logger.warning("time is up", extra={"judged": len(scores), "of": len(candidates), "seconds": seconds})
    return scores


def choose(scores: Sequence[Score], configured: TrainingConfig) -> TrainingConfig:
    """Return the first config within one standard error of the best; `configured` if none could be judged."""
    if not scores:
        return configured
    best = min(scores, key=lambda score: score.rmse)
    return next(score.config for score in scores if score.rmse <= best.rmse + best.standard_error)


def _score(config: TrainingConfig, rows: FloatArray) -> Score | None:
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a warning about a candidate is no one's concern; training repeats it
            errors = [_rmse(config, rows, held_out) for held_out in _folds(len(rows))]
    except (TrainingRefused, TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError) as refused:
        logger.warning("candidate left out", extra={"estimator": config.estimator, "reason": str(refused)})
        return None
    spread = float(np.std(errors, ddof=1)) / math.sqrt(len(errors))
    return Score(config, float(np.mean(errors)), spread, time.perf_counter() - started)


def _rmse(config: TrainingConfig, rows: FloatArray, held_out: BoolArray) -> float:
    estimator = build_estimator(config)
    learned = rows[~held_out]
    estimator.fit(learned[:, :-1], learned[:, -1])
    errors = np.asarray(estimator.predict(rows[held_out, :-1])).reshape(-1) - rows[held_out, -1]
    found = float(np.sqrt(np.mean(errors**2)))
    if not math.isfinite(found):
        raise TrainingRefused("its predictions are not finite numbers")
    return found


def _folds(rows: int) -> Iterator[BoolArray]:
    """Yield a mask [rows] for each fold: true where a row is held out."""
    if rows < 2 * FOLDS:
        raise TrainingRefused(f"{rows} rows are too few for {FOLDS} folds")
    number = np.random.default_rng(RANDOM_STATE).permutation(rows) % FOLDS
    for fold in range(FOLDS):
        yield number == fold


def _tell(config: TrainingConfig, score: Score | None, number: int, total: int) -> None:
    numbers = {} if score is None else {"rmse": score.rmse, "standard_error": score.standard_error}
    about = {"candidate": number, "of": total, "estimator": config.estimator, "parameters": config.parameters}
    logger.info("compared", extra={**about, **numbers})
