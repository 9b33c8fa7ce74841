"""One row of the prediction log, as PostgreSQL takes it and as it waits in the queue."""

from __future__ import annotations

import time
from typing import NamedTuple

from api.prediction.pending import PendingPrediction


class LogRecord(NamedTuple):
    """The values of a row, in the order of the INSERT's parameters; JSON as text."""

    id: str
    input_data: str
    predictions: str
    confidence: str
    milliseconds: int
    model_version: int
    cached: bool
    intervals: str | None  # of a regressor
    request_id: str  # of letters, digits, dots, hyphens and underscores: JSON without escapes
    latency: float
    probabilities: str | None = None  # of a classifier, as are the prediction sets
    prediction_sets: str | None = None

    def json(self) -> bytes:
        """Return the row as the JSON object that waits in the queue."""
        if self.probabilities is None:
            found = f'"intervals":{self.intervals}'
        else:
            found = f'"probabilities":{self.probabilities},"prediction_sets":{self.prediction_sets}'
        return (
            f'{{"id":"{self.id}","milliseconds":{self.milliseconds},"input_data":{self.input_data},'
            f'"predictions":{self.predictions},{found},"confidence":{self.confidence},'
            f'"model_version":{self.model_version},"cached":{"true" if self.cached else "false"},'
            f'"request_id":"{self.request_id}","latency":{self.latency:.6f}}}'
        ).encode()


def log_records(batch: list[PendingPrediction]) -> list[LogRecord]:
    """Return the rows of answered requests; the latency is the time since the request's arrival."""
    now = time.perf_counter()
    records = []
    for pending in batch:
        answer, (text, milliseconds) = pending.answer, pending.id
        assert answer is not None
        records.append(
            LogRecord(
                text, pending.input_json(), answer.predictions, answer.confidence, milliseconds,
                pending.model.version, pending.cached, answer.intervals, pending.request_id,
                now - pending.started, answer.probabilities, answer.prediction_sets,
            )
        )  # fmt: skip
    return records
