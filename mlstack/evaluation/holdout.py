"""What a model says of the rows of its hold-out: the evidence that a report shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlstack.inference.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.training.splitting import Dataset

_MOST_ROWS = 20_000  # of the hold-out; they are in random order


@dataclass(frozen=True)
class PredictedValues:
    """The hold-out of a regressor, arrays with an entry per row."""

    rows: FloatArray  # [m, k]
    actual: FloatArray
    fitted: FloatArray
    lower: FloatArray
    upper: FloatArray
    name: str = ""  # of the version

    @property
    def residuals(self) -> FloatArray:
        """Actual minus predicted values."""
        return self.actual - self.fitted

    @property
    def loss(self) -> FloatArray:
        """Squared errors: their mean is the square of the RMSE."""
        return np.square(self.residuals)

    @property
    def coverage(self) -> float:
        """Share of the rows whose actual value lies in its interval."""
        return float(np.mean((self.lower <= self.actual) & (self.actual <= self.upper)))


@dataclass(frozen=True)
class PredictedClasses:
    """The hold-out of a classifier; classes are positions in the manifest's classes."""

    rows: FloatArray  # [m, k]
    actual: npt.NDArray[np.intp]
    probabilities: FloatArray  # [m, c]
    likeliest: npt.NDArray[np.intp]
    members: npt.NDArray[np.bool_]  # [m, c]
    name: str = ""  # of the version

    @property
    def loss(self) -> FloatArray:
        """1 for a wrong class, else 0: their mean is the error rate."""
        return np.not_equal(self.actual, self.likeliest).astype(np.float64)

    @property
    def coverage(self) -> float:
        """Share of the rows whose prediction set holds the actual class."""
        return float(np.mean(self.members[np.arange(len(self.actual)), self.actual]))

    @property
    def confusion(self) -> npt.NDArray[np.intp]:
        """How many rows of each actual class, a row each, have each predicted class: [c, c]."""
        classes = self.probabilities.shape[1]
        counts = np.zeros((classes, classes), dtype=np.intp)
        np.add.at(counts, (self.actual, self.likeliest), 1)
        return counts

    @property
    def set_size(self) -> float:
        """Mean number of classes in a prediction set."""
        return float(self.members.sum(axis=1).mean())


def beside(former: PredictedValues | PredictedClasses | None) -> str:
    """Return what a picture's description says of the former version in it."""
    return f", with those of {former.name}," if former else ""


def predict_holdout(model: LoadedModel, holdout: Dataset) -> PredictedValues | PredictedClasses:
    """Return what `model` says of the hold-out, of its first rows if it is large."""
    return predict_rows(model, np.ascontiguousarray(holdout.x[:_MOST_ROWS]), holdout.y[:_MOST_ROWS])


def predict_rows(
    model: LoadedModel, rows: FloatArray, actual: npt.NDArray[np.floating | np.intp]
) -> PredictedValues | PredictedClasses:
    """Return what `model` says of rows [m, k] in its own encoding."""
    name = f"version {model.version}"
    if model.classes:
        return PredictedClasses(rows, actual.astype(np.intp), *model.classify(rows), name)
    return PredictedValues(rows, actual.astype(np.float64), *model.predict(rows)[:3], name)
