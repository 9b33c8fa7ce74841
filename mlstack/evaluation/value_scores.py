"""Metrics of a regressor on the hold-out, summed block by block: nothing of a row is held."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mlstack.evaluation.rival import Found, Rival
from mlstack.evaluation.scores import Against, Scores
from mlstack.inference.loaded_model import LoadedModel, Predictions
from mlstack.inference.predictors import PredictionOverflow
from mlstack.runtime.arrays import FloatArray


class ErrorSums:
    """Sums over rows with their actual values y and what a model predicts."""

    def __init__(self) -> None:
        self.rows = 0
        self._squares = self._absolute = self._covered = self._width = 0.0
        self._mean = self._scatter = 0.0  # of y, and Σ (y - mean)²

    def add(self, y: FloatArray, found: Predictions | None) -> None:
        """Add rows; without predictions, because one is not a finite number, the errors are infinite."""
        if not len(y):
            return
        self._add_actual(y)
        if found is None:
            self._squares = math.inf
            return
        errors = y - found.values
        self._squares += float(errors @ errors)
        self._absolute += float(np.abs(errors).sum())
        self._covered += int(((found.lower <= y) & (y <= found.upper)).sum())
        self._width += float((found.upper - found.lower).sum())

    def metrics(self) -> dict[str, float]:
        """Return rmse and, unless it is infinite, mse, mae, r2, the intervals' coverage and mean width."""
        mse = self._squares / self.rows
        if not math.isfinite(mse):
            return {"rmse": math.inf}
        return {
            "mse": mse,
            "rmse": math.sqrt(mse),
            "mae": self._absolute / self.rows,
            "r2": 1.0 - self._squares / self._scatter if self._scatter > 0 else 0.0,
            "coverage": self._covered / self.rows,
            "interval_width": self._width / self.rows,
        }

    def _add_actual(self, y: FloatArray) -> None:
        """Combine mean and scatter of two parts (Chan et al. 1979)."""
        mean, total = float(y.mean()), self.rows + len(y)
        between = mean - self._mean
        self._scatter += float(np.square(y - mean).sum()) + between**2 * self.rows * len(y) / total
        self._mean += between * len(y) / total
        self.rows = total


class ValueScores:
    """The sums of a candidate, and of both versions on the rows that its rival takes."""

    def __init__(self, candidate: LoadedModel, rival: Rival | None) -> None:
        self._candidate, self._rival = candidate, rival
        self.own, self._shared, self._current = ErrorSums(), ErrorSums(), ErrorSums()
        self._unseen = 0

    def add(self, x: FloatArray, y: FloatArray) -> None:
        """Add rows x [m, k] with their actual values y [m]."""
        if not len(y):
            return
        found = _predicted(self._candidate, np.ascontiguousarray(x))
        self.own.add(y, found)
        if self._rival is None:
            return
        encoded = self._rival.encode(x)
        y = y[encoded.taken]
        self._shared.add(y, None if found is None else _chosen(found, encoded.taken))
        self._current.add(y, _predicted(self._rival.model, encoded.rows) if len(y) else None)
        self._unseen += encoded.unseen

    @property
    def shared_rows(self) -> int:
        """How many rows both versions take."""
        return self._shared.rows

    def against(self) -> Against:
        """Return the metrics of both versions on the rows that both take; there must be some."""
        assert self._rival is not None
        versions = self._shared.metrics(), self._current.metrics()
        version, scope = self._rival.model.version, self._rival.scope
        own_figure = self._rival.own_figure("rmse")
        return Against(version, self._shared.rows, scope, self._unseen, *versions, own_figure)


def _predicted(model: LoadedModel, rows: FloatArray) -> Predictions | None:
    try:
        return model.predict(rows)
    except PredictionOverflow:
        return None


def _chosen(found: Predictions, taken: npt.NDArray[np.bool_]) -> Predictions:
    return found if taken.all() else Predictions(*(values[taken] for values in found))


def value_scores(measured: ValueScores, current: Found, baseline: float, deviation: float) -> Scores:
    """Return the scores; `deviation` is that of the target, `baseline` the RMSE of predicting the mean."""
    rows = measured.own.rows
    why_not = current.why_not(measured.shared_rows, rows)
    return Scores(
        deciding="rmse",
        rows=rows,
        metrics=measured.own.metrics(),
        baseline=baseline,
        rounding=1e-9 * deviation,  # on data without noise, the RMSE of both is rounding error
        against=measured.against() if current.rival is not None and not why_not else None,
        not_compared=why_not,
    )
