"""Fits an estimator, with its errors as TrainingRefused and its warnings in the log."""

from __future__ import annotations

import logging
import warnings

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.inference.boosters import is_booster
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused

_FAULTS = (TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError)

logger = logging.getLogger(__name__)


def fit(estimator: Estimator, name: str, x: FloatArray, y: FloatArray) -> None:
    """Fit `estimator` in place on rows x [n, k] and targets y [n]; `name` is for messages."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(x, y)
        except Exception as error:
            if not isinstance(error, _FAULTS) and not is_booster(type(error).__module__):
                raise
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise TrainingRefused(f"{name} cannot be trained on this table: {reason}") from error
    for text in {str(warning.message).partition("\n")[0] for warning in caught}:
        logger.warning("warning from the estimator", extra={"estimator": name, "warning": text})
