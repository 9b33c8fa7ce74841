"""Accepts true values. Accepted means: committed in PostgreSQL; while it is away they are refused (503)."""

from __future__ import annotations

from collections import Counter

from api.feedback import metrics
from api.feedback.schemas import Entry, FeedbackReport, Mismatch
from api.feedback.store import FeedbackStore, Outcome
from api.prediction.prediction_log import PredictionLog
from mlstack.web.problems import InvalidInput, NotFound, Unavailable

_MOST_ATTEMPTS = 5


class FeedbackService:
    """Records the true values of predictions that are in the log, or on their way there."""

    def __init__(self, store: FeedbackStore, log: PredictionLog) -> None:
        """`log` knows whether predictions wait for PostgreSQL."""
        self._store = store
        self._log = log

    async def record_one(self, entry: Entry) -> FeedbackReport:
        """Record the true values of one prediction; raise NotFound or InvalidInput if they do not fit."""
        report = await self.record([entry])
        if report.unknown:
            raise NotFound(f"there is no prediction {entry.id} in the log: it never was, or has expired")
        for wrong in report.mismatched:
            raise InvalidInput(f"expected {wrong.expected} true values, one for each row; got {wrong.got}")
        return report

    async def record(self, entries: list[Entry]) -> FeedbackReport:
        """Record the true values of many predictions, each by itself."""
        genuine = [entry for entry in entries if entry.milliseconds is not None]
        outcomes = await self._recorded(genuine) if genuine else []
        rows = {entry.id: entry.rows for entry in entries}
        states = Counter(outcome.state for outcome in outcomes)
        for state, count in states.items():
            metrics.entries[state].inc(count)
        known = {outcome.id for outcome in outcomes if outcome.state != "unknown"}
        return FeedbackReport(
            accepted=states["accepted"],
            repeated=states["repeated"],
            corrected=states["corrected"],
            unknown=[entry.id for entry in entries if entry.id not in known],
            mismatched=[
                Mismatch(id=outcome.id, expected=outcome.expected or 0, got=rows[outcome.id])
                for outcome in outcomes
                if outcome.state == "mismatched"
            ],
        )

    async def _recorded(self, entries: list[Entry]) -> list[Outcome]:
        """Record entries; try those again that another request has overtaken."""
        # In this order: a row leaves the queue after its commit, so one that is in neither was never logged.
        may_be_queued = await self._log.may_be_queued()
        outcomes: list[Outcome] = []
        for _ in range(_MOST_ATTEMPTS):
            tried = await self._store.record(entries, may_be_queued)
            outcomes += [outcome for outcome in tried if outcome.state != "overtaken"]
            overtaken = {outcome.id for outcome in tried if outcome.state == "overtaken"}
            if not overtaken:
                return outcomes
            entries = [entry for entry in entries if entry.id in overtaken]
        raise Unavailable("other requests correct the same predictions at this moment: try again")
