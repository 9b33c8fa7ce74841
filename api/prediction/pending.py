"""One request on its way to an answer, and the JSON that is logged and sent for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import msgspec

from api.prediction.cache import cache_key
from api.prediction.identifiers import PredictionId
from mlstack.registry.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class PendingPrediction:
    """One request's rows on their way to an answer: the response's JSON."""

    id: PredictionId
    request_id: str  # of letters, digits, dots, hyphens and underscores: JSON without escapes
    model: LoadedModel
    rows: FloatArray
    started: float  # time.perf_counter() at arrival
    answer: asyncio.Future[bytes]
    cached: bool = False
    key: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.key = cache_key(self.model.digest, self.rows)


def log_row(pending: PendingPrediction, answer: bytes) -> bytes:
    """Return the row for the prediction log; the answer's JSON is spliced in, not parsed again."""
    return (
        b'{"id":"%b","milliseconds":%d,"input_data":%b,%b,"model_version":%d,"cached":%b,'
        b'"request_id":"%b","latency":%.6f}'
        % (
            pending.id.text.encode(),
            pending.id.milliseconds,
            _encode(pending.rows.tolist()),
            answer[1:-1],
            pending.model.version,
            b"true" if pending.cached else b"false",
            pending.request_id.encode(),
            time.perf_counter() - pending.started,
        )
    )


def response(pending: PendingPrediction, answer: bytes) -> bytes:
    """Return the body of the response, made the same way."""
    return b'{"id":"%b",%b,"model_version":%d,"cached":%b}' % (
        pending.id.text.encode(),
        answer[1:-1],
        pending.model.version,
        b"true" if pending.cached else b"false",
    )
