"""POST /predict: a thin ASGI handler with a typed decode, dispatched ahead of FastAPI.

A FastAPI route alone costs three quarters of the throughput (docs/performance.md). The route is
described in OpenAPI all the same: see openapi.py.
"""

from __future__ import annotations

import asyncio
import time

from prometheus_client import Counter

from api import metrics
from api.asgi import ClientGone, Receive, Scope, Send, read_body, send_json, send_problem
from api.identifiers import prediction_id, sane_request_id
from api.job import Job
from api.predictor import Predictor
from pipeline.api_keys import ApiKeys
from pipeline.bodies import check_json
from pipeline.instances import decode_request, to_rows
from pipeline.problems import Problem
from pipeline.regression import Regression
from pipeline.served_models import Models

PATH = "/predict"
_JSON = (b"content-type", b"application/json")


class PredictEndpoint:
    """The ASGI application of one path and method."""

    def __init__(
        self, models: Models, predictor: Predictor, keys: ApiKeys, max_rows: int, max_body_bytes: int
    ) -> None:
        """Limits are per request."""
        self._models = models
        self._keys = keys
        self._predictor = predictor
        self._max_rows = max_rows
        self._max_body_bytes = max_body_bytes
        self._seconds = metrics.request_seconds.labels(PATH)
        self._answered: dict[int, Counter] = {}
        for status in (200, 422, 500, 503):  # a rate needs the zero before the first
            self._answered[status] = metrics.requests.labels(PATH, "POST", str(status))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a prediction or a problem; count either."""
        started = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = sane_request_id(headers.get(b"x-request-id"))
        metrics.in_flight.count += 1
        status = 500
        try:
            body = await self._answer(headers, receive, request_id, started)
            await send_json(send, 200, body, [_JSON, (b"x-request-id", request_id.encode())])
            status = 200
        except Problem as problem:
            status = problem.status
            await send_problem(send, problem, request_id)
        except ClientGone:
            status = 400
        finally:
            metrics.in_flight.count -= 1
            self._count(status)
            self._seconds.observe(time.perf_counter() - started)

    def _count(self, status: int) -> None:
        if status not in self._answered:
            self._answered[status] = metrics.requests.labels(PATH, "POST", str(status))
        self._answered[status].inc()

    async def _answer(
        self, headers: dict[bytes, bytes], receive: Receive, request_id: str, started: float
    ) -> bytes:
        self._keys.check(PATH, headers.get(b"x-api-key"))
        body = await read_body(receive, self._max_body_bytes)
        check_json(headers.get(b"content-type", b"").decode("latin-1"))
        request = decode_request(body)
        model = await self._model(request.model_version)
        job = Job(
            id=prediction_id(headers.get(b"x-idempotency-key")),
            request_id=request_id,
            model=model,
            rows=to_rows(request.rows(), model.n_features, self._max_rows),
            started=started,
            answer=asyncio.get_running_loop().create_future(),
        )
        return await self._predictor.submit(job)

    async def _model(self, version: int | None) -> Regression:
        if version is None:
            return self._models.select(None)
        return await asyncio.to_thread(self._models.select, version)
