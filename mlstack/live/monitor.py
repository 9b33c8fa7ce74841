"""The last measured error of the served versions, measured again at each check."""

from __future__ import annotations

import logging

from mlstack.live.errors import LiveError, live_errors
from mlstack.live.truths import read_truths
from mlstack.registry.store import ModelStore
from mlstack.runtime.secret_files import Secret

logger = logging.getLogger(__name__)


class LiveErrors:
    """One thread calls `refresh`; others may read `latest`, which is replaced as a whole."""

    def __init__(self, store: ModelStore, log_url: Secret[str], window_hours: float) -> None:
        """True values count that came within the last `window_hours`."""
        self._store = store
        self._log_url = log_url
        self._window_hours = window_hours
        self.latest: tuple[LiveError, ...] = ()

    def refresh(self) -> None:
        """Measure again; raise a Refusal if the prediction log cannot be read."""
        self.latest = live_errors(read_truths(self._log_url.value, self._window_hours), self._store)

    def log(self) -> None:
        """Log the measures of each version."""
        for each in self.latest:
            about = {"model_version": each.model_version, "rows": each.rows, "unusable": each.unusable}
            logger.info("live error", extra={**about, "live": each.measures, "holdout": each.holdout})
