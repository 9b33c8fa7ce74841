"""One check for drift: the requests that the current model answered, against its training data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from mlstack.drift.categories import CategoryReference, category_drift
from mlstack.drift.statistics import ColumnDrift, Reference, column_drift, extrapolated_share
from mlstack.drift.training_data import TrainingData, read_training_data
from mlstack.drift.window import Window, read_window
from mlstack.inference.current_model import CurrentModel
from mlstack.inference.loaded_model import LoadedModel
from mlstack.live.monitor import LiveErrors
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.secret_files import Secret

MIN_ROWS = 200  # with fewer rows the measures are mostly noise

Status = Literal["no model", "insufficient data", "stable", "drifted"]


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check; without enough rows `columns` is empty and the share None."""

    status: Status
    checked_at: str
    model_version: int = 0
    window_rows: int = 0
    skipped_requests: int = 0  # their rows are not of the version's columns
    training_rows: int = 0
    training_data_unchanged: bool = True
    extrapolated_share: float | None = None
    columns: tuple[ColumnDrift, ...] = ()


class Monitor:
    """Checks for drift; reads the training data once for each model version."""

    def __init__(
        self, store: ModelStore, log_url: Secret[str], training_url: Secret[str], window_hours: float
    ) -> None:
        """Open no connection yet; `window_hours` is how far back logged requests count."""
        self.live = LiveErrors(store, log_url, window_hours)
        self._current = CurrentModel(store)
        self._log_url = log_url
        self._training_url = training_url
        self._window_hours = window_hours
        self._training: tuple[str, TrainingData] | None = None

    def check(self) -> DriftReport:
        """Return the result of one check; raise a Refusal if a database cannot be read."""
        self.live.refresh()
        self._current.refresh()
        model = self._current.get()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if model is None:
            return DriftReport(status="no model", checked_at=now)
        training = self._training_data(model)
        window = read_window(self._log_url.value, model, self._window_hours)
        return compare(model.version, training, window, now)

    def _training_data(self, model: LoadedModel) -> TrainingData:
        if self._training is None or self._training[0] != model.digest:
            self._training = model.digest, read_training_data(self._training_url.value, model)
        return self._training[1]


def compare(version: int, training: TrainingData, window: Window, now: str) -> DriftReport:
    """Compare `window` with `training`; `now` becomes the time of the report."""
    report = DriftReport(
        status="insufficient data",
        checked_at=now,
        model_version=version,
        window_rows=len(window.rows),
        skipped_requests=window.skipped,
        training_rows=training.rows,
        training_data_unchanged=training.unchanged,
    )
    if len(window.rows) < MIN_ROWS:
        return report
    samples = (*window.rows.T, window.predictions)
    columns = tuple(
        _drift(reference, sample, len(training.columns))
        for reference, sample in zip(training.columns, samples, strict=True)
    )
    return msgspec.structs.replace(
        report,
        status="drifted" if any(column.drifted for column in columns) else "stable",
        extrapolated_share=extrapolated_share(training.low, training.high, window.rows),
        columns=columns,
    )


def _drift(reference: Reference | CategoryReference, sample: FloatArray, columns: int) -> ColumnDrift:
    if isinstance(reference, CategoryReference):
        return category_drift(reference, sample, columns)
    return column_drift(reference, sample, columns)
