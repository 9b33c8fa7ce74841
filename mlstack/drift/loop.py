"""The drift monitor as a service: repeated checks, and their last result for metrics and health."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import NoReturn

from mlstack.drift.check import DriftReport
from mlstack.drift.statistics import ColumnDrift
from mlstack.runtime.refusals import Refusal

logger = logging.getLogger(__name__)


class MonitoringLoop:
    """Runs in the main thread; other threads may read its attributes, each replaced as a whole."""

    def __init__(self, check: Callable[[], DriftReport], interval: float) -> None:
        """Call `check` every `interval` seconds, or as soon as the one before has ended."""
        self._check = check
        self._interval = interval
        self.report: DriftReport | None = None
        self.failure: str | None = None
        self.passes: Counter[str] = Counter(
            {"compared": 0, "insufficient data": 0, "no model": 0, "failed": 0}
        )
        self.last_success = 0.0  # seconds since the epoch
        self._last_pass = time.monotonic()

    @property
    def responsive(self) -> bool:
        """Whether checks still end, successfully or not."""
        return time.monotonic() - self._last_pass < 3 * self._interval + 30

    def run(self) -> NoReturn:
        """Check until the process ends."""
        while True:
            started = time.monotonic()
            self._pass()
            self._last_pass = time.monotonic()
            time.sleep(max(0.0, self._interval - (self._last_pass - started)))

    def _pass(self) -> None:
        try:
            report = self._check()
        except Refusal as refused:
            if self.failure != str(refused):
                logger.warning("drift check failed", extra={"reason": str(refused)})
            self.failure = str(refused)
            self.passes["failed"] += 1
            return
        if self.report is None or report.status != self.report.status:
            log_report(report)
        self.report, self.failure, self.last_success = report, None, time.time()
        self.passes["compared" if report.columns else report.status] += 1


def log_report(report: DriftReport) -> None:
    """Log the result of a check: the numbers of every column, as a warning if one has drifted."""
    columns = {column.name: _numbers(column) for column in report.columns}
    level = logging.WARNING if report.status == "drifted" else logging.INFO
    details = {
        "model_version": report.model_version,
        "window_rows": report.window_rows,
        "skipped_requests": report.skipped_requests,
        "training_data_unchanged": report.training_data_unchanged,
        "extrapolated_share": report.extrapolated_share,
        "columns": columns,
    }
    logger.log(level, "drift: %s", report.status, extra=details)


def _numbers(column: ColumnDrift) -> dict[str, float | bool | None]:
    if column.chi_squared is None:
        test = {"ks": column.ks, "p": column.ks_p_value}
    else:
        test = {"chi_squared": column.chi_squared, "p": column.chi_squared_p_value}
    return {"psi": column.psi, **test, "drifted": column.drifted}
