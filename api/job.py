"""One request on its way to an answer, and the JSON that is logged and sent for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import msgspec

from api.cache import cache_key
from api.identifiers import PredictionId
from pipeline.instances import FloatArray
from pipeline.regression import Regression

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Job:
    """One request's rows on their way to an answer: the response's JSON."""

    id: PredictionId
    request_id: str  # of letters, digits, dots, hyphens and underscores: JSON without escapes
    model: Regression
    rows: FloatArray
    started: float  # time.perf_counter() at arrival
    answer: asyncio.Future[bytes]
    cached: bool = False
    key: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.key = cache_key(self.model.digest, self.rows)


def log_row(job: Job, answer: bytes) -> bytes:
    """Return the row for the prediction log; the answer's JSON is spliced in, not parsed again."""
    return (
        b'{"id":"%b","milliseconds":%d,"input_data":%b,%b,"model_version":%d,"cached":%b,'
        b'"request_id":"%b","latency":%.6f}'
        % (
            job.id.text.encode(),
            job.id.milliseconds,
            _encode(job.rows.tolist()),
            answer[1:-1],
            job.model.version,
            b"true" if job.cached else b"false",
            job.request_id.encode(),
            time.perf_counter() - job.started,
        )
    )


def response(job: Job, answer: bytes) -> bytes:
    """Return the body of the response, made the same way."""
    return b'{"id":"%b",%b,"model_version":%d,"cached":%b}' % (
        job.id.text.encode(),
        answer[1:-1],
        job.model.version,
        b"true" if job.cached else b"false",
    )
