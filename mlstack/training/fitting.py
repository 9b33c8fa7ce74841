"""Fits an estimator, with scikit-learn's errors as TrainingRefused and its warnings in the log."""

from __future__ import annotations

import logging
import warnings

import numpy as np

from mlstack.registry.artifact import Estimator
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused

logger = logging.getLogger(__name__)


def fit(estimator: Estimator, name: str, x: FloatArray, y: FloatArray) -> None:
    """Fit `estimator` in place on rows x [n, k] and targets y [n]; `name` is for messages."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(x, y)
        except (TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise TrainingRefused(f"{name} cannot be trained on this table: {reason}") from error
    for text in {str(warning.message).partition("\n")[0] for warning in caught}:
        logger.warning("warning from scikit-learn", extra={"estimator": name, "warning": text})
