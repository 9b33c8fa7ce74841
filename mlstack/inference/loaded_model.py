"""A loaded version of the model: verified, immutable, safe to share between threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlstack.inference.predictors import (
    Predict,
    PredictionOverflow,
)
from mlstack.registry.columns import Class, Column
from mlstack.registry.intervals import (
    ConformalSets,
    Deviation,
)
from mlstack.registry.manifest import Manifest
from mlstack.runtime.arrays import FloatArray


class Predictions(NamedTuple):
    """Arrays [n], an entry per row: ŷ, its 95 % prediction interval, the explained share of y's variance."""

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    confidence: FloatArray


class Classification(NamedTuple):
    """An entry per row: each class's probability, the likeliest class, and the 95 % prediction set."""

    probabilities: FloatArray  # [n, c]
    likeliest: npt.NDArray[np.intp]  # [n]: positions in the manifest's classes
    members: npt.NDArray[np.bool_]  # [n, c]: whether the class belongs to the row's prediction set


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A version of the model with what is needed to predict."""

    manifest: Manifest
    version: int
    digest: str  # SHA-256 over everything that a prediction depends on
    n_features: int
    plain: bool  # every value of a row is a number
    answer_bytes: int  # the most that the answer to a row has as JSON
    row_independent: bool  # a row's prediction is bit-identical, whatever other rows are in the call
    quick: bool  # a call takes microseconds, so it may run on the event loop
    _predict: Predict = field(repr=False)
    _deviation: Deviation = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of a row."""
        return self.manifest.features

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a row, in order."""
        return self.manifest.schema

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes of a classifier, in the order of its probabilities; none of a regressor."""
        return self.manifest.classes

    @property
    def target(self) -> str:
        """The name of the target."""
        return self.manifest.target

    @property
    def estimator_name(self) -> str:
        """The estimator's class, such as LinearRegression."""
        return self.manifest.estimator_name

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics on the hold-out, such as rmse or log_loss."""
        return self.manifest.metrics

    def classify(self, rows: FloatArray) -> Classification:
        """Classify encoded rows [n, n_features]; raise PredictionOverflow if a probability is not finite."""
        sets = self.manifest.interval
        assert isinstance(sets, ConformalSets)
        with np.errstate(all="ignore"):
            probabilities = self._predict(rows)
        if not np.isfinite(probabilities).all():
            raise PredictionOverflow("the input is so large that the probabilities are not finite numbers")
        likeliest = probabilities.argmax(axis=1)
        members = probabilities >= sets.threshold
        members[np.arange(len(rows)), likeliest] = True
        return Classification(probabilities, likeliest, members)

    def predict(self, rows: FloatArray) -> Predictions:
        """Predict encoded rows [n, n_features]; raise PredictionOverflow if a prediction is not finite."""
        interval = self.manifest.interval
        assert not isinstance(interval, ConformalSets)
        with np.errstate(all="ignore"):
            values = self._predict(rows)
            deviation = self._deviation(rows)
            margin = deviation * interval.quantile
            lower, upper = values - margin, values + margin
            # lower <= ŷ <= upper, so ŷ is finite if both bounds are.
            if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
                raise PredictionOverflow("the input is so large that the prediction is not a finite number")
            ratio = deviation / np.sqrt(interval.target_variance)
            confidence = np.maximum(0.0, 1.0 - ratio * ratio)
        return Predictions(values, lower, upper, confidence)
